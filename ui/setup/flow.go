// Package setup leads the owner from nothing to the first backup: what to
// protect, where to store it, the passphrase, the recovery kit, the first
// backup. The way through is in [Flow], which knows no window.
package setup

import (
	"crypto/rand"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"kvart/app"
	"kvart/ui/screen"
)

// page is one step of the setup.
type page string

const (
	pageWhat  page = "what"
	pageAsk   page = "ask" // what could not be found out: a database's password
	pageWhere page = "where"
	pagePass  page = "pass"
	pageKit   page = "kit"
	pageFirst page = "first"
)

// leastPassphrase is how many characters a passphrase must have here; the
// guard judges the rest.
const leastPassphrase = 12

// pick is a source that may be protected.
type pick struct {
	app.Found
	// id stays the same while others come and go before it.
	id   int
	On   bool
	Own  bool // added by the owner, not found
	Asks bool // what was found is not enough

	// What the owner answered. Found keeps what was there before.
	Answered bool
	Added    bool
	Settings map[string]string
	Admin    string
	Secrets  app.Secrets
	// Typed and Held are what was filled in so far, where that is no answer yet.
	// Held is in memory only, and goes nowhere but back into the form.
	Typed map[string]string
	Held  app.Secrets
	// Tried reports that the owner wanted it added, and that it could not be, or
	// not before the setup was left.
	Tried bool
	// Again reports that it was answered before the setup was left: the secrets
	// are to be filled in once more.
	Again bool
}

// request returns what adds the source.
func (p pick) request(name string) app.AddSourceRequest {
	r := app.AddSourceRequest{Kind: p.Kind, Name: name, Settings: p.Found.Settings}
	if p.Answered {
		r.Settings, r.Admin, r.Secrets = p.Settings, p.Admin, p.Secrets
	}
	return r
}

// Flow is how far the setup has come. It lives as long as the window, so that
// a setup that was left can be taken up again.
type Flow struct {
	page  page
	picks []pick
	ids   int        // given to picks so far
	asked int        // index of the pick that is asked about
	forms *app.Forms // nil until the guard told them

	loc *screen.Location // where the backups are to lie

	own       bool // the owner chooses the passphrase
	generated string
	first     string // passphrase as typed
	second    string
	last      string // last group, typed back
	shop      string

	hasVault  bool // one is in use already: nothing to ask about it
	made      bool // it was made or opened on this very way
	reconnect bool // the vault in use has to be opened anew, with new keys or passphrase
	kitGood   bool // a good kit was there before its page came: nothing to do
	failed    map[string]error

	shown *Screen // the window's language may have changed under way

	recalled bool           // what was entered before the window was closed is in here
	kept     app.SetupDraft // what the guard keeps of it
	keeping  bool           // it is being told
}

// NewFlow returns a setup at its beginning.
func NewFlow() *Flow {
	return &Flow{page: pageWhat, loc: screen.NewLocation(), failed: map[string]error{}}
}

// pages lists the steps there are.
func (f *Flow) pages() []page {
	all := []page{pageWhat, pageAsk, pageWhere, pagePass, pageKit, pageFirst}
	return slices.DeleteFunc(all, func(p page) bool {
		switch p {
		case pageWhat, pageFirst:
			return f.reconnect
		case pageAsk:
			return f.reconnect || f.page != pageAsk && !slices.ContainsFunc(f.picks, func(p pick) bool { return p.On && p.Asks })
		case pageWhere, pagePass:
			return f.hasVault && !f.made && !f.reconnect
		case pageKit:
			return f.reconnect || f.kitGood
		}
		return false
	})
}

// resume starts where it makes sense, seen from the status.
func (f *Flow) resume(s app.Status, reconnect bool) {
	f.hasVault, f.made, f.reconnect, f.kitGood = s.Vault != nil, false, reconnect, s.Kit.Good()
	f.loc.Existing = reconnect
	if reconnect {
		if f.page != pagePass {
			f.page = pageWhere
		}
		if f.loc.Kind == "" && s.Vault != nil {
			f.loc.Choose(s.Vault.Storage)
		}
		return
	}
	if !slices.Contains(f.pages(), f.page) || (f.page == pageFirst || f.page == pageKit) && len(s.Sources) == 0 {
		f.page = pageWhat
	}
	if f.hasVault && len(s.Sources) > 0 && f.page != pageKit {
		f.page = pageFirst
	}
	if f.page == pageAsk && (f.asked >= len(f.picks) || !f.picks[f.asked].On) {
		f.page = pageWhat
	}
}

// spec returns a kind of source.
func (f *Flow) spec(kind app.Kind) (app.KindSpec, bool) {
	if f.forms == nil {
		return app.KindSpec{}, false
	}
	i := slices.IndexFunc(f.forms.Sources, func(k app.KindSpec) bool { return k.Kind == kind })
	if i < 0 {
		return app.KindSpec{}, false
	}
	return f.forms.Sources[i], true
}

// open returns the index of the first ticked pick that has to be asked about,
// -1 when there is none.
func (f *Flow) open() int {
	return slices.IndexFunc(f.picks, func(p pick) bool { return p.On && p.Asks && !p.Answered })
}

// answer takes what the owner said of the pick that is asked about.
func (f *Flow) answer(settings map[string]string, admin string, secrets app.Secrets) {
	p := &f.picks[f.asked]
	p.Answered, p.Settings, p.Admin, p.Secrets, p.Typed, p.Again = true, settings, admin, secrets, nil, false
	p.Held = nil
	if p.Own {
		if name := screen.SuggestName(settings); name != "" {
			p.Name = name
		}
	}
}

// numbered returns a pick with an id of its own.
func (f *Flow) numbered(p pick) pick {
	f.ids++
	p.id = f.ids
	return p
}

// tried takes in which of the ticked were to be added and, by their ids, which
// of them were. It drops the secrets of those: the guard keeps them now. Others
// may have been found meanwhile.
func (f *Flow) tried(wanted []pick, added []int) {
	for i := range f.picks {
		p := &f.picks[i]
		if slices.ContainsFunc(wanted, func(w pick) bool { return w.On && w.id == p.id }) {
			p.Tried = true
		}
		if slices.Contains(added, p.id) {
			p.Added, p.Secrets, p.Admin, p.Held = true, nil, "", nil
		}
	}
}

// indexOf returns where the pick of an id stands, -1 for nowhere.
func (f *Flow) indexOf(id int) int {
	return slices.IndexFunc(f.picks, func(p pick) bool { return p.id == id })
}

// unasked drops what the owner began to describe and then left with nothing
// filled in.
func (f *Flow) unasked() {
	f.picks = slices.DeleteFunc(f.picks, func(p pick) bool { return p.Own && p.Asks && !p.touched() })
}

// know takes in the kinds there are.
func (f *Flow) know(forms app.Forms) { f.forms, f.loc.Kinds = &forms, forms.Storages }

// existing reports whether a vault lies there already: then its passphrase is
// asked for, and nothing made.
func (f *Flow) existing() bool { return f.loc.Holds() }

// request returns what makes or opens the vault.
func (f *Flow) request() app.VaultRequest {
	spec := f.loc.Storage()
	r := app.VaultRequest{
		Storage: spec, Shop: f.shop, AcceptCompliance: f.loc.Accepted(),
		Secrets: app.Secrets{app.PassphraseKey: app.NewSecret(f.passphrase())},
	}
	maps.Copy(r.Secrets, spec.Secrets)
	return r
}

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
		switch {
		case f.loc.Report == nil:
			return "where"
		case !f.loc.Ready():
			return "lock"
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
	if f.page == pageAsk {
		return f.ask()
	}
	return true
}

// ask goes to what has to be asked next, or on where there is nothing.
func (f *Flow) ask() bool {
	if i := f.open(); i >= 0 {
		f.asked, f.page = i, pageAsk
		return true
	}
	f.page = pageAsk
	pages := f.pages()
	f.page = pages[slices.Index(pages, pageAsk)+1]
	return true
}

// back goes one page back and reports whether there was one. There is no way
// back once the vault is made.
func (f *Flow) back() bool {
	pages := f.pages()
	i := slices.Index(pages, f.page)
	if i <= 0 || f.made || f.page == pageFirst || f.page == pageKit {
		return false
	}
	f.unasked()
	if f.page = pages[i-1]; f.page == pageAsk {
		f.page = pageWhat // one page for all that was asked
	}
	return true
}

// forget drops what must not stay in memory once the vault is in use.
func (f *Flow) forget() {
	f.first, f.second, f.last, f.generated = "", "", "", ""
	f.loc.Forget()
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
