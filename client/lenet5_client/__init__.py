"""What a caller of lenet5-serve installs: the types of the wire (`lenet5_client.schemas`)."""
