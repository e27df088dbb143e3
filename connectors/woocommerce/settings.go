package woocommerce

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
	fieldURL    = "url"
	fieldUser   = "user"
	fieldPlain  = "allow_http"
	fieldOrders = "restore_orders"

	fieldPassword = "password"
	fieldKey      = "consumer_key"
	fieldSecret   = "consumer_secret"

	forRestore = "restore_" // before the fields of the key that may write
)

const (
	parallel    = 3  // questions at once
	usualSpeed  = 12 // questions a second
	programName = "Kvart (backup)"
)

// Spec implements [rest.Platform].
func (p *Platform) Spec() app.KindSpec {
	return app.KindSpec{Kind: Kind, Order: 3, Fields: []app.Field{
		{Key: fieldURL, Type: app.FieldText, Required: true},
		{Key: fieldUser, Type: app.FieldText},
		{Key: fieldPassword, Type: app.FieldSecret},
		{Key: fieldKey, Type: app.FieldSecret, Advanced: true},
		{Key: fieldSecret, Type: app.FieldSecret, Advanced: true},
		{Key: forRestore + fieldUser, Type: app.FieldText, Advanced: true},
		{Key: forRestore + fieldPassword, Type: app.FieldSecret, Advanced: true},
		{Key: forRestore + fieldKey, Type: app.FieldSecret, Advanced: true},
		{Key: forRestore + fieldSecret, Type: app.FieldSecret, Advanced: true},
		{Key: fieldOrders, Type: app.FieldSwitch, Advanced: true},
		{Key: fieldPlain, Type: app.FieldSwitch, Advanced: true},
	}}
}

// login is one way in.
type login struct {
	user     string
	password app.Secret // of an application
	key      app.Secret
	secret   app.Secret
}

// wordpress reports whether the login opens WordPress itself too.
func (l login) wordpress() bool { return !l.password.IsZero() }

// whole reports whether the login is complete.
func (l login) whole() bool {
	return l.user != "" && !l.password.IsZero() || !l.key.IsZero() && !l.secret.IsZero()
}

func readLogin(a app.Access, prefix string) login {
	l := login{
		user: strings.TrimSpace(a.Source.Settings[prefix+fieldUser]), password: pasted(a.Secrets[prefix+fieldPassword]),
		key: a.Secrets[prefix+fieldKey], secret: a.Secrets[prefix+fieldSecret],
	}
	if prefix != "" && l.user == "" {
		l.user = a.Source.Settings[fieldUser]
	}
	return l
}

// Open implements [rest.Platform]. Without a key for restoring the daily one is
// tried: an application password can always write.
func (p *Platform) Open(_ context.Context, a app.Access, write bool) (rest.Shop, error) {
	base, err := rest.ParseBase(fieldURL, a.Source.Settings[fieldURL], a.Source.Settings[fieldPlain] == "true")
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
		if l.user == "" && l.password.IsZero() && l.key.IsZero() {
			field = fieldUser
		}
		return nil, app.Errorf(app.CodeSecretMissing, "woocommerce: open", "no complete key").With("field", field).With("source", a.Source.Name)
	}
	c := p.client(base)
	c.Authorize = func(r *http.Request) error { return l.authorize(r, base) }
	return &shop{c: c, login: l, write: write, sorts: byName()}, nil
}

// client is a client without any key.
func (p *Platform) client(base *url.URL) *rest.Client {
	c := rest.NewClient(base, p.Transport, p.pace(base.Host), parallel)
	c.Agent, c.Nap = programName, p.Nap
	return c
}

// pace is one for all that asks a host, as long as the program runs: what follows
// upon another piece of work neither begins in a rush nor has to find out again
// what the host allows.
func (p *Platform) pace(host string) rest.Pacer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paces[host] == nil {
		speed := p.Speed
		if speed == 0 {
			speed = usualSpeed
		}
		if p.paces == nil {
			p.paces = map[string]rest.Pacer{}
		}
		p.paces[host] = rest.NewGentle(speed)
	}
	return p.paces[host]
}

// authorize adds the credentials to a request.
func (l login) authorize(r *http.Request, base *url.URL) error {
	switch {
	case l.wordpress():
		r.SetBasicAuth(l.user, l.password.Reveal())
	case base.Scheme == "https":
		r.SetBasicAuth(l.key.Reveal(), l.secret.Reveal())
	default:
		return l.sign(r)
	}
	return nil
}
