//! The in-process worlds: the memory cache and the virtual-time executor.
