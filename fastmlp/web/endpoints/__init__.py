"""What answers at each address of the page, a file for each subject (floor 10).

Each file has one class, made with the `Page` whose state it reads, and its `routes`.
"""
