package screen

import (
	"strings"
	"testing"

	"kvart/app"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

func TestModelRights(t *testing.T) {
	t.Parallel()
	w := english(t)
	for name, tt := range map[string]struct {
		rights app.Rights
		title  string
		tone   widgets.Tone
		lists  int
	}{
		"fine":    {uitest.LessRights(), "rights.fine.title", widgets.ToneGood, 0},
		"excess":  {app.Rights{Excess: []string{"DROP"}}, "rights.excess.title", widgets.ToneNeutral, 1},
		"missing": {app.Rights{Missing: []string{"SELECT"}}, "rights.missing.title", widgets.ToneWarn, 1},
		"both":    {app.Rights{Missing: []string{"SELECT"}, Excess: []string{"DROP"}}, "rights.missing.title", widgets.ToneWarn, 2},
	} {
		v := modelRights(w, tt.rights)
		if v.Title != w.T(tt.title) || v.Tone != tt.tone || len(v.Lists) != tt.lists || v.Fine != (name == "fine") {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestModelRights_longLists(t *testing.T) {
	t.Parallel()
	v := modelRights(english(t), app.Rights{Excess: strings.Split(strings.Repeat("DROP ", 10)+"ALTER", " ")})
	if !strings.HasSuffix(v.Lists[0], "DROP and 3 more") {
		t.Errorf("%q", v.Lists)
	}
}

func TestAsks(t *testing.T) {
	t.Parallel()
	forms := uitest.DatabaseForms()
	full := map[string]string{"host": "127.0.0.1", "port": "3306", "database": "butik", "user": "root"}
	if !Asks(forms.Sources[2], full) || !Asks(forms.Sources[2], uitest.FoundDatabase().Settings) {
		t.Error("no password is asked for")
	}
	if Asks(forms.Sources[0], map[string]string{"path": "/kassa.db"}) {
		t.Error("a file that was found is asked about")
	}
	if !Asks(forms.Sources[0], nil) {
		t.Error("a file is not asked for")
	}
}

func TestPlaceOf(t *testing.T) {
	t.Parallel()
	w := english(t)
	for want, settings := range map[string]map[string]string{
		"butik on 127.0.0.1:3306":          {"host": "127.0.0.1", "port": "3306", "database": "butik"},
		"butik on /run/mysqld/mysqld.sock": {"socket": "/run/mysqld/mysqld.sock", "database": "butik"},
		"127.0.0.1:3306":                   {"host": "127.0.0.1", "port": "3306"},
		"/home/asa/Kassa/kassa.db":         {"path": "/home/asa/Kassa/kassa.db"},
		"":                                 {"database": "butik"},
	} {
		if got := PlaceOf(w, settings); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestExplain_sourcesOwnSettings(t *testing.T) {
	t.Parallel()
	w := english(t)
	for code, want := range map[app.Code]Remedy{
		app.CodeSourceDenied: RemedyChange, app.CodeTunnelDenied: RemedyChange, app.CodeHostKeyChanged: RemedyChange,
		app.CodeSourceOffline: RemedyRetry, app.CodeSourceGone: RemedyRecover, app.CodeSecretMissing: RemedySource,
	} {
		p := Explain(w, &app.Error{Code: code}, "Webbutiken")
		if p.Remedy != want {
			t.Errorf("%s: %s, want %s", code, p.Remedy, want)
		}
		if place, ok := p.Place(); want == RemedyChange && (!ok || !place.Change || place.Source != "Webbutiken") {
			t.Errorf("%s leads to %+v", code, place)
		}
	}
	if p := Explain(w, &app.Error{Code: app.CodeHostKeyUnknown}, ""); p.Remedy != RemedyReconnect {
		t.Errorf("the storage's key is looked for at a source: %s", p.Remedy)
	}
	if p := Explain(w, (&app.Error{Code: app.CodeSourceRight}).With("statement", "GRANT"), ""); p.Statement != "GRANT" {
		t.Errorf("%+v", p)
	}
}

func TestMeets(t *testing.T) {
	t.Parallel()
	both := app.KindSpec{Fields: []app.Field{{Key: "ssh_host_key"}, {Key: "host_key"}, {Key: "certificate"}}}
	key := func(args ...string) error {
		e := (&app.Error{Code: app.CodeHostKeyUnknown}).With("host_key", "ssh-ed25519 AAAA")
		for i := 0; i < len(args); i += 2 {
			e = e.With(args[i], args[i+1])
		}
		return e
	}
	certificate := func(reason string) error {
		return app.Errorf(app.CodeCertificate, "log in", "x").With("reason", reason).With("fingerprint", "abc")
	}
	way := map[string]string{"host": "web.example", "ssh_host": "ssh.example"}
	for name, tt := range map[string]struct {
		spec     app.KindSpec
		settings map[string]string
		err      error
		want     acquaint
	}{
		"its own":         {both, way, key("where", "web.example:22"), acquaint{"host_key", "ssh-ed25519 AAAA"}},
		"on the way":      {both, way, key("where", "ssh.example:22"), acquaint{"ssh_host_key", "ssh-ed25519 AAAA"}},
		"only on the way": {uitest.MySQL(), nil, key(), acquaint{"ssh_host_key", "ssh-ed25519 AAAA"}},
		"said which":      {both, nil, key("field", "ssh_host_key"), acquaint{"ssh_host_key", "ssh-ed25519 AAAA"}},
		"no field":        {app.KindSpec{}, nil, key(), acquaint{}},
		"certificate":     {both, nil, certificate("unknown"), acquaint{"certificate", "abc"}},
		"another one now": {both, map[string]string{"certificate": "xyz"}, certificate("unknown"), acquaint{}},
		"expired":         {both, nil, certificate("expired"), acquaint{}},
		"changed":         {both, nil, &app.Error{Code: app.CodeHostKeyChanged}, acquaint{}},
		"nothing":         {both, nil, nil, acquaint{}},
	} {
		if got, ok := meets(tt.spec, tt.settings, tt.err); got != tt.want || ok != (tt.want != acquaint{}) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}
