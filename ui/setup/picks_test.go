package setup

import (
	"slices"
	"testing"

	"kvart/app"
	"kvart/ui/uitest"
)

// TestFlow_discoveryWhileAdding: what is found while sources are added moves the
// others, and must not be taken for what was added.
func TestFlow_discoveryWhileAdding(t *testing.T) {
	t.Parallel()
	f := NewFlow()
	f.discovered(uitest.Found())
	wanted := slices.Clone(f.picks)
	last := wanted[len(wanted)-1]
	newer := app.Found{Kind: "folder", Name: "Ny", Settings: map[string]string{"path": "/ny"}, Likely: true}
	f.discovered(append([]app.Found{newer}, uitest.Found()...))
	f.tried(wanted, []int{last.id})
	for _, p := range f.picks {
		if p.Added != (p.Name == last.Name) {
			t.Errorf("%s: added %v", p.Name, p.Added)
		}
		if p.Name == "Ny" && p.Tried {
			t.Error("what was found meanwhile is said to have been tried")
		}
	}
	if i := f.indexOf(last.id); f.picks[i].Name != last.Name {
		t.Errorf("%s is at the place of %s", f.picks[i].Name, last.Name)
	}
}

// TestFlow_typedSecretsStay: a password that was typed is there again after going
// back, and is kept in memory only.
func TestFlow_typedSecretsStay(t *testing.T) {
	t.Parallel()
	f := NewFlow()
	f.know(uitest.DatabaseForms())
	f.recall(app.SetupDraft{}, nil)
	spec := uitest.MySQL()
	f.describe(spec, "Butiken")
	f.typed(map[string]string{"host": "db"}, app.Secrets{"password": app.NewSecret("halv")})
	f.page = pageWhat
	f.unasked()
	if len(f.picks) != 1 {
		t.Fatal("what was filled in is dropped")
	}
	if got := f.picks[0].filling(); got.Settings["host"] != "db" || got.Secrets["password"].Reveal() != "halv" {
		t.Errorf("begins with %+v", got.Settings)
	}
	for _, p := range f.draft().Picks {
		for key, v := range p.Settings {
			if v == "halv" {
				t.Errorf("%s is kept on disk", key)
			}
		}
	}
	f.asked, f.page = 0, pageAsk
	answer := map[string]string{"host": "db", "database": "butik"}
	f.answer(answer, "", app.Secrets{"password": app.NewSecret("hel")})
	f.typed(answer, app.Secrets{"password": app.NewSecret("hel")})
	if !f.picks[0].Answered {
		t.Error("an answer that was not changed counts no more")
	}
	f.typed(answer, app.Secrets{"password": app.NewSecret("ny")})
	if p := f.picks[0]; p.Answered || p.filling().Secrets["password"].Reveal() != "ny" || f.open() != 0 {
		t.Errorf("another password is lost, or the old one used: %v", p.Answered)
	}
}
