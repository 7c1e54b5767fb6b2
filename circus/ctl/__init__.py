"""The parts of circusctl."""
