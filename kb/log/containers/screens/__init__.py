"""What a screen has shown: recordings, pictures, the QR code of a panic."""
