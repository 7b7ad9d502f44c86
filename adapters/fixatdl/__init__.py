"""FIXatdl 1.1: our algorithms published, brokers' algorithms read and their orders checked."""
