"""Reports that go out by themselves: on a period, by mail, on a schedule, and still to be checked months later."""
