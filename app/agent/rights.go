package agent

import (
	"context"
	"crypto/rand"
	"maps"
	"strings"

	"kvart/app"
)

// Every kind with users of its own calls them so.
const (
	userField     = "user"
	passwordField = "password"
)

// Rights implements [app.SourceService].
func (a *Agent) Rights(ctx context.Context, r app.RightsRequest) (app.Rights, error) {
	if r.Source != "" {
		s, err := a.Store.Document().source(r.Source)
		if err != nil {
			return app.Rights{}, err
		}
		c, access, err := a.access(ctx, s)
		if err != nil {
			return app.Rights{}, err
		}
		return rightsOf(ctx, c, access)
	}
	c, err := a.Connectors.Connector(r.Kind)
	if err != nil {
		return app.Rights{}, err
	}
	settings := filled(c.Spec(), r.Settings)
	if err := c.Spec().CheckSettings(settings, r.Secrets); err != nil {
		return app.Rights{}, err
	}
	return rightsOf(ctx, c, app.Access{Source: app.Source{Kind: r.Kind, Settings: settings}, Secrets: r.Secrets})
}

func rightsOf(ctx context.Context, c app.Connector, access app.Access) (app.Rights, error) {
	g, err := granter(c)
	if err != nil {
		return app.Rights{}, err
	}
	return g.Rights(ctx, access)
}

func granter(c app.Connector) (app.Granter, error) {
	g, ok := c.(app.Granter)
	if !ok {
		kind := string(c.Spec().Kind)
		return nil, app.Errorf(app.CodeUsage, "rights", "%s has no users of its own", kind).With("field", "kind")
	}
	return g, nil
}

// filled returns settings without empty values and with the defaults.
func filled(spec app.KindSpec, given map[string]string) map[string]string {
	settings := map[string]string{}
	for k, v := range given {
		if v != "" {
			settings[k] = v
		}
	}
	for _, f := range spec.Fields {
		if f.Default != "" && settings[f.Key] == "" {
			settings[f.Key] = f.Default
		}
	}
	return settings
}

// helper makes [app.BackupUser] on a source's server. The zero helper makes
// nobody.
type helper struct {
	by        app.Granter
	admin     string
	secret    app.Secret // the administrator's password
	password  app.Secret // the new user's
	restoring bool       // it may also put things back
}

// helperOf reads who is to make the user from a request, and returns the
// request's secrets and settings as they are with that user in place of the
// administrator, who is in neither.
func helperOf(c app.Connector, admin string, restoring bool, settings map[string]string, secrets app.Secrets) (h helper, _ map[string]string, _ app.Secrets, err error) {
	if admin == "" {
		if restoring {
			err = app.Errorf(app.CodeUsage, "make user", "only an administrator gives the right to restore").With("field", "admin")
		}
		return h, settings, secrets, err // a stray administrator's password is refused with the other settings
	}
	if h.by, err = granter(c); err != nil {
		return h, nil, nil, err
	}
	h.admin, h.secret, h.password, h.restoring = admin, secrets[app.AdminPasswordKey], newPassword(), restoring
	settings, secrets = maps.Clone(settings), maps.Clone(secrets)
	if settings == nil {
		settings = map[string]string{}
	}
	if secrets == nil {
		secrets = app.Secrets{}
	}
	delete(secrets, app.AdminPasswordKey)
	settings[userField], secrets[passwordField] = app.BackupUser, h.password
	return h, settings, secrets, nil
}

// newPassword draws a password that servers with rules for passwords take too:
// small and capital letters, a digit and a sign.
func newPassword() app.Secret {
	return app.NewSecret(rand.Text() + "-7-" + strings.ToLower(rand.Text()))
}

// makeUser makes the user that access is for.
func (a *Agent) makeUser(ctx context.Context, c app.Connector, h helper, access app.Access) error {
	if h.by == nil {
		return nil
	}
	if err := h.by.MakeUser(ctx, h.access(access), h.password, h.restoring); err != nil {
		return err
	}
	return a.tellOthers(ctx, c, access)
}

// access is the administrator's access to what access is for the new user.
func (h helper) access(access app.Access) app.Access {
	if h.by == nil {
		return access
	}
	admin := app.Access{Source: access.Source, Secrets: maps.Clone(access.Secrets)}
	admin.Source.Settings = maps.Clone(access.Source.Settings)
	admin.Source.Settings[userField], admin.Secrets[passwordField] = h.admin, h.secret
	return admin
}

// proved makes sure that a source can be reached. A database that is gone is
// what its user was given the right to restore for.
func (h helper) proved(ctx context.Context, c app.Connector, access app.Access) error {
	_, err := c.Check(ctx, access)
	if h.restoring && app.CodeOf(err) == app.CodeSourceGone {
		return nil
	}
	return err
}

// tellOthers gives the new password to every source on the same server, whose
// user was the same one and has just got another password; to the one that is
// changed too, which must not be locked out if the change fails after this. By
// which of its names a source knows its server can't be told from outside: a
// source is on that server when its own password is refused and the new one is
// not.
func (a *Agent) tellOthers(ctx context.Context, c app.Connector, made app.Access) error {
	for _, s := range a.Store.Document().Sources {
		if s.Kind != made.Source.Kind || s.Settings[userField] != app.BackupUser {
			continue
		}
		_, access, err := a.access(ctx, s)
		if err != nil {
			return err
		}
		if _, err := c.Check(ctx, access); app.CodeOf(err) != app.CodeSourceDenied {
			continue
		}
		access.Secrets[passwordField] = made.Secrets[passwordField]
		if _, err := c.Check(ctx, access); app.CodeOf(err) == app.CodeSourceDenied {
			continue
		}
		if err := a.Secrets.SetSecret(ctx, sourceKey(s.ID, passwordField), made.Secrets[passwordField]); err != nil {
			return err
		}
	}
	return nil
}
