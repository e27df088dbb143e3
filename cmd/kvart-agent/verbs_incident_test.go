package main

import (
	"testing"

	"kvart/app"
)

func TestFormatOf(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]app.ReportFormat{"a.pdf": app.ReportPDF, "/x/Å.PDF": app.ReportPDF, "a.md": app.ReportMarkdown, "a.pdf.md": app.ReportMarkdown} {
		if got, err := formatOf(out); got != want || err != nil {
			t.Errorf("%s: %q, %v", out, got, err)
		}
	}
	for _, out := range []string{"", "a", "pdf", "a.doc", "a."} {
		if _, err := formatOf(out); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("%q: %v", out, err)
		}
	}
}
