// Package reopen opens backups that were made before, on this computer or
// another: with a recovery kit, or with an invitation from a computer that has
// them open. What was typed or read is never shown again.
package reopen

import (
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
)

// way is what the owner opens the backups with.
type way string

const (
	withKit        way = "kit"
	withInvitation way = "invitation"
)

// Flow is how far it has come. It lives as long as the window: the language may
// change with the settings that come back.
type Flow struct {
	way     way
	kit     string
	file    string // the invitation's
	sealed  []byte
	code    string
	opened  bool
	asOf    time.Time
	current *Screen
}

// NewFlow returns a flow at its beginning.
func NewFlow() *Flow { return &Flow{way: withKit} }

// complete reports whether there is enough to try.
func (f *Flow) complete() bool {
	if f.way == withInvitation {
		return len(f.sealed) > 0 && f.code != ""
	}
	return f.kit != ""
}

// request returns what opens the vault.
func (f *Flow) request() app.VaultRequest {
	if f.way == withInvitation {
		return app.VaultRequest{Invitation: f.sealed, Secrets: app.Secrets{app.InvitationKey: app.NewSecret(f.code)}}
	}
	return app.VaultRequest{Secrets: app.Secrets{app.KitKey: app.NewSecret(f.kit)}}
}

// got takes in that the vault is open, and forgets what opened it.
func (f *Flow) got(v app.VaultInfo) {
	*f = Flow{way: withKit, opened: true, asOf: v.AsOf, current: f.current}
}

// doneView is the last page.
type doneView struct {
	Title, Text string
	Past        bool // it can only be restored from
	Empty       bool // this computer has nothing to protect yet
	Sources     []sourceView
}

// sourceView is one source that came back.
type sourceView struct {
	Name, Kind string
	Secret     bool // its secrets have to be entered again
}

// modelDone tells what came back.
func modelDone(w *assets.Words, s app.Status, asOf, now time.Time) doneView {
	if !asOf.IsZero() {
		return doneView{
			Past:  true,
			Title: w.T("reopen.past.title", assets.Args{"When": w.When(asOf, now)}), Text: w.T("reopen.past.text"),
		}
	}
	v := doneView{Title: w.T("reopen.done.title"), Text: w.N("reopen.done.text", int64(len(s.Sources))), Empty: len(s.Sources) == 0}
	if v.Empty {
		v.Text = w.T("reopen.joined.text")
	}
	for _, src := range s.Sources {
		v.Sources = append(v.Sources, sourceView{Name: src.Source.Name, Kind: w.T("source." + string(src.Source.Kind)), Secret: screen.NeedsSecret(src)})
	}
	return v
}

// missing reports whether secrets have to be entered yet.
func (v doneView) missing() bool {
	for _, s := range v.Sources {
		if s.Secret {
			return true
		}
	}
	return false
}
