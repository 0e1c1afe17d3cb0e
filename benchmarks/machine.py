"""What a figure was measured on, as `fastmlp bench` says it too (imports fastmlp.measure)."""

from fastmlp.measure.machine import ONE_THREAD as ONE_THREAD
from fastmlp.measure.machine import OTHER_KERNELS as OTHER_KERNELS
from fastmlp.measure.machine import describe as describe
from fastmlp.measure.machine import in_words as in_words
from fastmlp.measure.machine import one_thread_environment as one_thread_environment
from fastmlp.measure.machine import other_kernels as other_kernels
