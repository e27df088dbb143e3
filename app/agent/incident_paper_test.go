package agent

import (
	"bytes"
	"testing"

	"kvart/app"
)

func TestPlaybookPaper(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	if err := s.SetContacts(t.Context(), []app.Contact{{Role: "host", Name: "Loopia", Phone: "021-12 82 22"}}); err != nil {
		t.Fatal(err)
	}
	md, err := s.PlaybookPaper(t.Context(), app.PaperRequest{Playbook: app.PlaybookHacked, Format: app.ReportMarkdown, Language: "sv"})
	if err != nil || !bytes.Contains(md, []byte("021-12 82 22")) || !bytes.Contains(md, []byte("Björnbär")) {
		t.Errorf("%.200q, %v", md, err)
	}
	for _, code := range app.PlaybookCodes() {
		if b, err := s.PlaybookPaper(t.Context(), app.PaperRequest{Playbook: code, Format: app.ReportPDF}); err != nil || !bytes.HasPrefix(b, []byte("%PDF")) {
			t.Errorf("%s: %.20q, %v", code, b, err)
		}
	}
	for _, r := range []app.PaperRequest{{Playbook: "meteor", Format: app.ReportPDF}, {Playbook: app.PlaybookHacked, Format: "doc"}, {}} {
		if _, err := s.PlaybookPaper(t.Context(), r); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// TestForms_sayWhereAPageCanBeShown: the window offers to put one up only there.
func TestForms_sayWhereAPageCanBeShown(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	f, err := s.Forms(t.Context())
	if err != nil || len(f.Sources) == 0 || f.Sources[0].Pages {
		t.Errorf("%+v, %v", f.Sources, err)
	}
	s.Agent.Connectors = siteKinds{siteShop{s.shop, map[string]string{}}}
	if f, err = s.Forms(t.Context()); err != nil || !f.Sources[0].Pages {
		t.Errorf("%+v, %v", f.Sources, err)
	}
}
