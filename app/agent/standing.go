package agent

import (
	"context"

	"kvart/app"
	"kvart/app/agent/journal"
)

// mayStore returns why this guard stores nothing any more, if so. The vault
// refuses by itself; asking first keeps "nothing new" from being said of a
// source that another computer looks after now.
func (a *Agent) mayStore(ctx context.Context, v app.Vault) error {
	if d := a.Store.Document(); d.Vault != nil && !d.Vault.AsOf.IsZero() {
		return app.Errorf(app.CodeVaultPast, "back up", "the vault is shown as it was at %s", d.Vault.AsOf)
	}
	if err := stillThere(ctx, v); err != nil {
		a.noteSession(ctx, err) // opened anew, what is missing may be put back
		return err
	}
	aside, err := a.Journal.Meta(ctx, journal.KeyAside)
	if err != nil {
		return err
	}
	if aside != "" {
		return app.Errorf(app.CodeTwoGuards, "back up", "pushed aside at %s", aside)
	}
	all, err := roster(ctx, v)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.ID != a.self() || c.ReplacedBy == "" {
			continue
		}
		name := string(c.ReplacedBy)
		for _, o := range all {
			if o.ID == c.ReplacedBy {
				name = o.Name
			}
		}
		return app.Errorf(app.CodeReplaced, "back up", "by %s", c.ReplacedBy).With("computer", name)
	}
	return nil
}

// stillThere returns an error when the vault was deleted or hidden: a quarter in
// which nothing moved must not be called safe for that. A storage that can't be
// reached just now says nothing either way.
func stillThere(ctx context.Context, v app.Vault) error {
	at, ok := v.(app.Attendant)
	if !ok {
		return nil
	}
	err := at.Present(ctx)
	switch app.CodeOf(err) {
	case app.CodeVaultMissing, app.CodeVaultHidden, app.CodeVaultOther:
		return err
	}
	return nil
}
