"""What is live on a platform and by which chain of artifacts, checks and decisions it came to be."""

from hier_dag.audit.report.platform_report import platform_report
from hier_dag.audit.report.write import HTML, JSON, MARKDOWN, write_report

__all__ = ["HTML", "JSON", "MARKDOWN", "platform_report", "write_report"]
