"""What is published of measurements: figures, tables, and files of conf/."""
