// Package setup leads the owner from nothing to the first backup: what to
// protect, where to store it, the passphrase, the first backup. The way through
// is in [Flow], which knows no window.
package setup

import (
	"crypto/rand"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"kvart/app"
)

// page is one step of the setup.
type page string

const (
	pageWhat  page = "what"
	pageWhere page = "where"
	pagePass  page = "pass"
	pageFirst page = "first"
)

// leastPassphrase is how many characters a passphrase must have here; the
// guard judges the rest.
const leastPassphrase = 12

// pick is a source that may be protected.
type pick struct {
	app.Found
	On  bool
	Own bool // added by the owner, not found
}

// Flow is how far the setup has come. It lives as long as the window, so that
// a setup that was left can be taken up again.
type Flow struct {
	page  page
	picks []pick
	forms *app.Forms // nil until the guard told them

	kind     app.Kind
	settings map[app.Kind]map[string]string
	secrets  map[app.Kind]app.Secrets
	report   *app.StorageReport // of exactly these settings; nil when not proven

	own       bool // the owner chooses the passphrase
	generated string
	first     string // passphrase as typed
	second    string
	last      string // last group, typed back
	shop      string

	hasVault  bool // one is in use already: nothing to ask about it
	made      bool // it was made or opened on this very way
	reconnect bool // the vault in use has to be opened anew, with new keys or passphrase
	failed    map[string]error
}

// NewFlow returns a setup at its beginning.
func NewFlow() *Flow {
	return &Flow{page: pageWhat, settings: map[app.Kind]map[string]string{}, secrets: map[app.Kind]app.Secrets{}, failed: map[string]error{}}
}

// pages lists the steps there are.
func (f *Flow) pages() []page {
	switch {
	case f.reconnect:
		return []page{pageWhere, pagePass}
	case f.hasVault && !f.made:
		return []page{pageWhat, pageFirst}
	}
	return []page{pageWhat, pageWhere, pagePass, pageFirst}
}

// resume starts where it makes sense, seen from the status.
func (f *Flow) resume(s app.Status, reconnect bool) {
	f.hasVault, f.made, f.reconnect = s.Vault != nil, false, reconnect
	if reconnect {
		if f.page != pagePass {
			f.page = pageWhere
		}
		if f.kind == "" && s.Vault != nil {
			f.kind = s.Vault.Storage
		}
		return
	}
	if !slices.Contains(f.pages(), f.page) || f.page == pageFirst && len(s.Sources) == 0 {
		f.page = pageWhat
	}
	if f.hasVault && len(s.Sources) > 0 {
		f.page = pageFirst
	}
}

// discovered takes in what was found, keeping what the owner ticked before.
func (f *Flow) discovered(found []app.Found) {
	var picks []pick
	for _, n := range found {
		p := pick{Found: n, On: n.Likely}
		for _, old := range f.picks {
			if old.Kind == n.Kind && maps.Equal(old.Settings, n.Settings) {
				p.On = old.On
			}
		}
		picks = append(picks, p)
	}
	for _, old := range f.picks {
		if old.Own {
			picks = append(picks, old)
		}
	}
	f.picks = picks
}

// add adds a source the owner chose; one that is there already is ticked.
func (f *Flow) add(kind app.Kind, name string, settings map[string]string) {
	for i, p := range f.picks {
		if p.Kind == kind && maps.Equal(p.Settings, settings) {
			f.picks[i].On = true
			return
		}
	}
	f.picks = append(f.picks, pick{Found: app.Found{Kind: kind, Name: name, Settings: settings, Bytes: -1}, On: true, Own: true})
}

func (f *Flow) ticked() []pick {
	var out []pick
	for _, p := range f.picks {
		if p.On {
			out = append(out, p)
		}
	}
	return out
}

// spec returns the kind of storage that is chosen.
func (f *Flow) spec() (app.KindSpec, bool) {
	if f.forms != nil {
		for _, k := range f.forms.Storages {
			if k.Kind == f.kind {
				return k, true
			}
		}
	}
	return app.KindSpec{}, false
}

// storage returns where the vault lies or shall lie.
func (f *Flow) storage() app.StorageSpec {
	return app.StorageSpec{Kind: f.kind, Settings: maps.Clone(f.settings[f.kind]), Secrets: maps.Clone(f.secrets[f.kind])}
}

// choose chooses a kind of storage.
func (f *Flow) choose(k app.Kind) {
	if k != f.kind {
		f.kind, f.report = k, nil
	}
}

// fill takes what was typed about the storage; nothing is proven any more.
func (f *Flow) fill(settings map[string]string, secrets app.Secrets) {
	f.settings[f.kind], f.secrets[f.kind], f.report = settings, secrets, nil
}

// proved takes in what a test of the storage found. A place with somebody
// else's data is refused.
func (f *Flow) proved(r app.StorageReport) error {
	f.report = nil
	if r.State == app.LocationForeign {
		return app.Errorf(app.CodeStorageForeign, "setup", "the location is not empty").With("path", f.settings[f.kind]["path"])
	}
	if f.reconnect && r.State != app.LocationVault {
		return app.Errorf(app.CodeVaultMissing, "setup", "no vault there")
	}
	f.report = &r
	return nil
}

// existing reports whether a vault lies there already: then its passphrase is
// asked for, and nothing made.
func (f *Flow) existing() bool { return f.report != nil && f.report.State == app.LocationVault }

// passphrase returns the passphrase that was settled on.
func (f *Flow) passphrase() string {
	if f.existing() || f.own {
		return f.first
	}
	return f.generated
}

// lack tells what keeps a page from being left forwards, as the end of a key
// of the texts; "" for nothing.
func (f *Flow) lack() string {
	switch f.page {
	case pageWhat:
		if len(f.ticked()) == 0 {
			return "what"
		}
	case pageWhere:
		if f.report == nil {
			return "where"
		}
	case pagePass:
		if !f.made {
			return f.passLack()
		}
	}
	return ""
}

func (f *Flow) passLack() string {
	switch {
	case f.existing():
		if f.first == "" {
			return "pass.open"
		}
	case f.own:
		if len([]rune(f.first)) < leastPassphrase {
			return "pass.short"
		}
		if f.first != f.second {
			return "pass.differ"
		}
	case !strings.EqualFold(strings.TrimSpace(f.last), lastGroup(f.generated)):
		return "pass.last"
	}
	return ""
}

// next goes one page on, if nothing is lacking, and reports whether it did.
func (f *Flow) next() bool {
	pages := f.pages()
	i := slices.Index(pages, f.page)
	if f.lack() != "" || i < 0 || i == len(pages)-1 {
		return false
	}
	f.page = pages[i+1]
	return true
}

// back goes one page back and reports whether there was one. There is no way
// back from the first backup.
func (f *Flow) back() bool {
	pages := f.pages()
	i := slices.Index(pages, f.page)
	if i <= 0 || f.made || f.page == pageFirst {
		return false
	}
	f.page = pages[i-1]
	return true
}

// forget drops what must not stay in memory once the vault is in use.
func (f *Flow) forget() {
	f.first, f.second, f.last, f.generated = "", "", "", ""
	f.secrets = map[app.Kind]app.Secrets{}
}

// alphabet has no letters that look like others when written by hand.
const alphabet = "abcdefghjkmnpqrstuvwxyz23456789"

// groups and groupLength make a passphrase of 118 bits.
const (
	groups      = 6
	groupLength = 4
)

// generate makes a passphrase: groups of letters and digits.
func generate() (string, error) {
	parts := make([]string, groups)
	for i := range parts {
		b := make([]byte, groupLength)
		for j := range b {
			n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
			if err != nil {
				return "", fmt.Errorf("generate passphrase: %w", err)
			}
			b[j] = alphabet[n.Int64()]
		}
		parts[i] = string(b)
	}
	return strings.Join(parts, "-"), nil
}

func lastGroup(p string) string { return p[strings.LastIndex(p, "-")+1:] }
