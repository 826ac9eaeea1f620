"""Everything that knows SQL: engine, tables, migrations, one module per entity.

Stages are given a `Database` and hand its transactions (`Tx`) to the entity modules.
"""
