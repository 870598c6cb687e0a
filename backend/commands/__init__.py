"""The commands of python -m backend: each a module with add_arguments(parser) and run(options)."""
