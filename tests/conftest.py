"""What all tests need of the process that runs them."""

import signal
import threading

# A shell without job control starts background jobs deaf to Ctrl-C, and so would be what the tests start.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
