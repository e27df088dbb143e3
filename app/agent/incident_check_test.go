package agent

import (
	"strings"
	"testing"

	"kvart/app"
)

// TestIncident_failedCheckIsTold: in the guided way the step says which check
// failed, as facts for the owner's language, and the report says it in words.
func TestIncident_failedCheckIsTold(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.shop.set("kassan", "rotten")
	s.backup()
	s.shop.set("kassan", "fresh")
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	i := s.tick("stop-till", "confirm")
	s.wantStep(i, "restore", app.StepFailed)
	f, ok := fact(i, "restore", "check_failed", "Kassan")
	if !ok || f.Check == nil || f.Check.Code != "opens" || f.Check.OK || f.Check.Detail != "" {
		t.Errorf("found out %+v", i.Step("restore").Facts)
	}
	md, err := s.IncidentReport(t.Context(), app.ReportRequest{Format: app.ReportMarkdown, Language: "sv"})
	if err != nil {
		t.Fatal(err)
	}
	told, noted, ok := strings.Cut(string(md), "Detaljer för IT-hjälpen")
	if !ok || !strings.Contains(told, "Kassan: kontrollen ”Databasen går att öppna” blev underkänd.") || strings.Contains(told, "rotten") || !strings.Contains(noted, "rotten") {
		t.Errorf("report:\n%s", md)
	}
}
