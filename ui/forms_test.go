package ui

import (
	"testing"

	"kvart/app"
	"kvart/ui/uitest"
)

// newFormRig is a window at the form of a kind, in a language.
func newFormRig(t *testing.T, lang string, k app.KindSpec) *rig {
	t.Helper()
	s := uitest.Safe()
	s.Language = lang
	r := newRig(t, s)
	r.svc.FormsFunc = func() app.Forms { return app.Forms{Sources: []app.KindSpec{k}, Storages: uitest.Forms().Storages} }
	words := map[string][3]string{
		"en/webhotel":  {"Sources", "Add source", "Web hotel (the shop's files and database)"},
		"sv/webhotel":  {"Källor", "Lägg till källa", "Webbhotell (butikens filer och databas)"},
		"en/sqlserver": {"Sources", "Add source", "Database server (Microsoft SQL Server)"},
		"sv/sqlserver": {"Källor", "Lägg till källa", "Databasserver (Microsoft SQL Server)"},
	}[lang+"/"+string(k.Kind)]
	for _, w := range words {
		r.press(w)
	}
	return r
}

// TestForms_ofServers shows the longest forms in every language.
func TestForms_ofServers(t *testing.T) {
	for _, lang := range []string{"en", "sv"} {
		for _, k := range []app.KindSpec{uitest.WebHotel(), uitest.SQLServer()} {
			r := newFormRig(t, lang, k)
			r.lacks("⟦")
			name := "form-" + string(k.Kind) + "-" + lang
			r.shoot(name)
			r.win.Resize(r.win.Content().Size().AddWidthHeight(0, 1400))
			r.press(map[string]string{"en": "More settings", "sv": "Fler inställningar"}[lang])
			r.lacks("⟦")
			r.shoot(name + "-all")
		}
	}
}

// fillIn fills in the form of a web hotel.
func (r *rig) fillIn() {
	r.t.Helper()
	for i, v := range []string{"ssh.hotell.se", "butik", "hemligt", "public_html"} {
		uitest.Write(r.t, r.c, i, v)
	}
}

func TestSources_kindWithoutUsersIsTested(t *testing.T) {
	r := newFormRig(t, "en", uitest.WebHotel())
	if uitest.Enabled(r.c, "Test connection") {
		t.Error("an empty form can be tested")
	}
	r.fillIn()
	if fields := uitest.Fields(r.c); fields[len(fields)-1].Text != "ssh.hotell.se" {
		t.Errorf("the name suggested is %q", fields[len(fields)-1].Text)
	}
	var tried []app.AddSourceRequest
	r.svc.TryFunc = func(q app.AddSourceRequest) (app.SourceInfo, error) {
		tried = append(tried, q)
		return app.SourceInfo{}, app.Errorf(app.CodeSourceDenied, "check", "no").With("user", "butik")
	}
	r.press("Test connection")
	if len(tried) != 1 || tried[0].Kind != "webhotel" || tried[0].Settings["path"] != "public_html" || tried[0].Secrets["password"].Reveal() != "hemligt" || r.svc.Called("Rights") != 0 {
		t.Errorf("tried %+v", tried)
	}
	r.sees("butik")
	r.svc.TryFunc = func(app.AddSourceRequest) (app.SourceInfo, error) {
		return app.SourceInfo{Bytes: 31_000, Files: 12, Details: map[string]string{
			"site": "wordpress", "db_name": "wp_butik", "no_database": "wp_butik", "encrypted": "true", "times": "seconds", "protocol": "sftp",
		}}, nil
	}
	r.press("Test connection")
	r.sees("Works: 31 kB can be read", "WordPress", "Only the files would be backed up", "wp_butik")
	r.lacks("⟦")
	r.shoot("hotel-tested")
	r.press("Add source")
	if r.svc.Called("AddSource") != 1 || r.svc.Called("TrySource") != 2 {
		t.Errorf("calls %q", r.svc.Calls())
	}
}

// TestSetup_provesBeforeItsLastPage: a wrong password shows where it was typed.
func TestSetup_provesBeforeItsLastPage(t *testing.T) {
	r := newServerRig(t, uitest.Empty())
	r.svc.FormsFunc = func() app.Forms {
		f := uitest.Forms()
		f.Sources = append(f.Sources, uitest.WebHotel())
		return f
	}
	r.svc.DiscoverFunc = func() ([]app.Found, error) { return nil, nil }
	r.press("Set up Kvart")
	r.press("Web hotel")
	r.fillIn()
	fails := true
	r.svc.TryFunc = func(app.AddSourceRequest) (app.SourceInfo, error) {
		if fails {
			return app.SourceInfo{}, app.Errorf(app.CodeSourceDenied, "check", "no").With("user", "butik")
		}
		return app.SourceInfo{Details: map[string]string{"no_database": "wp_butik"}}, nil
	}
	r.press("Continue")
	r.sees("Connect Web hotel")
	fails = false
	r.press("Continue")
	r.sees("Connect Web hotel", "Only the files would be backed up")
	r.press("Continue")
	r.sees("Where should the backups live?")
}
