"""Parts that take the place of other packages' own ones. Each stands for itself and is imported by its name."""
