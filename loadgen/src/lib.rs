//! The load generator: the command line, the driver, the recorder and the labs.
