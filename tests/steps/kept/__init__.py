"""Steps as they should be: fields are added, and tables that have children or parents rebuilt by hand."""
