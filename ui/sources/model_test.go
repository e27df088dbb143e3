package sources

import (
	"fmt"
	"testing"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

func TestModel(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	if v := model(w, uitest.Empty(), uitest.Now()); v.CanAdd || v.Text != w.T("sources.novault") {
		t.Errorf("%+v", v)
	}
	if v := model(w, uitest.NoSources(), uitest.Now()); !v.CanAdd || v.Text != w.T("sources.none") {
		t.Errorf("%+v", v)
	}
	s := uitest.Late()
	for i := range 7 {
		s.Sources[2].Problems = append(s.Sources[2].Problems, app.Problem{Path: fmt.Sprint(i), Code: app.CodeItemChanged})
	}
	v := model(w, s, uitest.Now())
	if c := v.Cards[0]; c.Problem != nil || c.Tone != widgets.ToneGood || c.Facts[1].Value != "1 file, 412\u00a0MB" {
		t.Errorf("%+v", c)
	}
	if c := v.Cards[1]; c.Problem == nil || c.Tone != widgets.ToneWarn {
		t.Errorf("%+v", c)
	}
	if c := v.Cards[2]; len(c.Files) != mostProblems || c.More != "and 2 more" {
		t.Errorf("%+v", c)
	}
	for _, c := range model(w, uitest.FirstDay(), uitest.Now()).Cards {
		if c.Facts[0].Value != w.T("none") || c.State != w.T("stand.waiting") {
			t.Errorf("%+v", c)
		}
	}
}
