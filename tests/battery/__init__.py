"""The battery: known truths that an audit must find, and lies that it must never believe."""
