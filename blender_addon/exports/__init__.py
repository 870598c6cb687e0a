"""The result as files for other programs: point caches and curves written here, Alembic, USD and
glTF by Blender's own exporters."""
