package vendure

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"kvart/app"
	"kvart/connectors/rest"
)

// Fields of the settings.
const (
	fieldURL      = "url"
	fieldUser     = "user"
	fieldPassword = "password"
	fieldKey      = "api_key"
	fieldPlain    = "allow_http"

	forRestore = "restore_" // before the fields of the login that may write
)

const (
	parallel    = 3  // questions at once
	usualSpeed  = 12 // questions a second
	programName = "Kvart (backup)"
	adminAPI    = "/admin-api"
)

// Spec implements [rest.Platform].
func (p *Platform) Spec() app.KindSpec {
	return app.KindSpec{Kind: Kind, Order: 4, Fields: []app.Field{
		{Key: fieldURL, Type: app.FieldText, Required: true},
		{Key: fieldUser, Type: app.FieldText},
		{Key: fieldPassword, Type: app.FieldSecret},
		{Key: fieldKey, Type: app.FieldSecret, Advanced: true},
		{Key: forRestore + fieldUser, Type: app.FieldText, Advanced: true},
		{Key: forRestore + fieldPassword, Type: app.FieldSecret, Advanced: true},
		{Key: forRestore + fieldKey, Type: app.FieldSecret, Advanced: true},
		{Key: fieldPlain, Type: app.FieldSwitch, Advanced: true},
	}}
}

// login is one way in.
type login struct {
	user     string
	password app.Secret
	key      app.Secret
}

// whole reports whether the login is complete.
func (l login) whole() bool { return !l.key.IsZero() || l.user != "" && !l.password.IsZero() }

func readLogin(a app.Access, prefix string) login {
	l := login{user: strings.TrimSpace(a.Source.Settings[prefix+fieldUser]), password: a.Secrets[prefix+fieldPassword], key: a.Secrets[prefix+fieldKey]}
	if prefix != "" && l.user == "" {
		l.user = strings.TrimSpace(a.Source.Settings[fieldUser])
	}
	return l
}

// address is where the shop's admin API is, by what an owner pastes: the shop,
// the API, or the page on which its people work.
func address(typed string, plain bool) (*url.URL, error) {
	base, err := rest.ParseBase(fieldURL, typed, plain)
	if err != nil {
		return nil, err
	}
	for _, page := range []string{"/admin", "/dashboard"} {
		if at := strings.Index(base.Path+"/", page+"/"); at >= 0 {
			base.Path = base.Path[:at]
		}
	}
	if !strings.HasSuffix(base.Path, "api") {
		base.Path += adminAPI
	}
	return base, nil
}

// Open implements [rest.Platform]. Without a login for restoring the daily one
// is tried.
func (p *Platform) Open(_ context.Context, a app.Access, write bool) (rest.Shop, error) {
	base, err := address(a.Source.Settings[fieldURL], a.Source.Settings[fieldPlain] == "true")
	if err != nil {
		return nil, err
	}
	l := readLogin(a, "")
	if write {
		if r := readLogin(a, forRestore); r.whole() {
			l = r
		}
	}
	if !l.whole() {
		field := fieldPassword
		if l.user == "" && l.password.IsZero() {
			field = fieldUser
		}
		return nil, app.Errorf(app.CodeSecretMissing, "vendure: open", "no complete login").With("field", field).With("source", a.Source.Name)
	}
	return &shop{c: p.client(base, l), writes: write, sorts: byName(), claimed: map[string]bool{}}, nil
}

func (p *Platform) client(base *url.URL, l login) *client {
	speed := p.Speed
	if speed == 0 {
		speed = usualSpeed
	}
	transport := p.Transport
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = parallel
		transport = t
	}
	root := *base
	root.Path = ""
	c := &client{path: base.Path, rest: rest.NewClient(&root, transport, rest.NewGentle(speed), parallel), login: l, door: p.doors.of(base.String(), l)}
	c.rest.Agent, c.rest.Nap = programName, p.Nap
	return c
}
