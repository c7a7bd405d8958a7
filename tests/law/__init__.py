"""What drives devices and a server through random histories, and knows what must be true of them afterwards."""
