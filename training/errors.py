"""Every error of the training that a person can mend.

TrainingError
├── ConfigError      the TOML file is not what a run can be made of
├── DatasetError     a file of a data set is missing, or is not the one it should be
│   └── DownloadError    no mirror gave the right file
├── CheckpointError  there is nothing to resume, or it belongs to another run
└── DeviceError      the device asked for is not there
"""


class TrainingError(Exception):
    """A run that cannot start or go on; the message is one sentence a person can act on."""


class ConfigError(TrainingError):
    """The TOML file has an unknown key, a wrong type, or a value that cannot be."""


class DatasetError(TrainingError):
    """A file of a data set is missing, damaged, or another one than expected."""


class DownloadError(DatasetError):
    """No mirror gave a file with the right checksum."""


class CheckpointError(TrainingError):
    """There is no checkpoint, it is damaged, or it was written by another run."""


class DeviceError(TrainingError):
    """The device asked for does not exist here."""
