package recovery

import (
	"testing"

	"kvart/app"
	"kvart/assets"
)

// TestSheet_everyPlaybook prints what has to be found on paper when no computer
// works.
func TestSheet_everyPlaybook(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	for _, lang := range assets.Languages() {
		w, err := assets.NewWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range e.Playbooks() {
			p, err := e.Sheet(t.Context(), b.Code, lang)
			if err != nil {
				t.Fatal(err)
			}
			text := string(e.Markdown(p))
			wants(t, text, w.T("incident.playbook."+string(b.Code)), w.T("recover.sheet.contacts"))
			var steps, boxes int
			for _, part := range p.Parts {
				if part.Heading != w.T("recover.sheet.steps") {
					continue
				}
				for _, r := range part.Rows {
					steps++
					if r.Left[len(r.Left)-len(box):] == box {
						boxes++
					}
				}
			}
			owners := 0
			for _, s := range b.Steps {
				if s.Actor == app.ActorOwner {
					owners++
				}
			}
			if steps != len(b.Steps) || boxes != owners {
				t.Errorf("%s %s: %d steps with %d boxes, want %d with %d", lang, b.Code, steps, boxes, len(b.Steps), owners)
			}
		}
	}
	p, err := e.Sheet(t.Context(), app.PlaybookHacked, "sv")
	if err != nil {
		t.Fatal(err)
	}
	wants(t, string(e.Markdown(p)), "Inom 72 timmar från upptäckten", "IMY")
	if !p.Made.Equal(h.clock) {
		t.Errorf("made %v", p.Made)
	}
	if _, err := e.Sheet(t.Context(), "meteor", "sv"); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("no such playbook: %v", err)
	}
}

func TestSheetContacts_leaveRoomForWhoIsMissing(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("sv")
	if err != nil {
		t.Fatal(err)
	}
	list := []app.Contact{{Role: "host", Name: "Loopia", Phone: "021-1", Mail: "a@b.example"}, {Role: "Maria", Phone: "070"}}
	for n, want := range []int{3, 3, 3} {
		if part := sheetContacts(w, list[:n]); len(part.Rows) != want {
			t.Errorf("%d contacts: %d rows", n, len(part.Rows))
		}
	}
	part := sheetContacts(w, append(list, list...))
	if len(part.Rows) != 5 || part.Rows[0].Left != "Webbhotell" || part.Rows[0].Right != "Loopia  021-1" || part.Rows[0].More[0] != "a@b.example" || part.Rows[1].Left != "Maria" {
		t.Errorf("%+v", part.Rows)
	}
}
