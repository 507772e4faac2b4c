"""Waiting for an event with a deadline, never for a duration."""
import time


class DeadlineError(AssertionError):
    pass


def wait_until(what, condition, seconds, interval=0.05):
    """Calls `condition` until it returns something true and returns that; `what` names it in the error."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise DeadlineError(f"not within {seconds} s: {what}")
        time.sleep(interval)
