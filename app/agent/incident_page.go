package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kvart/app"
)

// Playbooks implements [app.PlaybookService].
func (a *Agent) Playbooks(context.Context) ([]app.Playbook, error) {
	return a.recovery.Playbooks(), nil
}

// PlaybookPaper implements [app.PlaybookService].
func (a *Agent) PlaybookPaper(ctx context.Context, r app.PaperRequest) ([]byte, error) {
	p, err := a.recovery.Sheet(ctx, r.Playbook, r.Language)
	if err != nil {
		return nil, err
	}
	return a.printPaper(p, r.Format)
}

// Contacts implements [app.PlaybookService].
func (a *Agent) Contacts(context.Context) ([]app.Contact, error) {
	return slices.Clone(a.Store.Document().Ready.Contacts), nil
}

// mostContacts is how many contacts are kept, longestContact how long each of
// their lines may be.
const (
	mostContacts   = 50
	longestContact = 200
)

// SetContacts implements [app.PlaybookService].
func (a *Agent) SetContacts(_ context.Context, list []app.Contact) error {
	if len(list) > mostContacts {
		return app.Errorf(app.CodeUsage, "keep contacts", "%d are too many", len(list)).With("field", "contacts")
	}
	var kept []app.Contact
	for _, c := range list {
		for _, v := range []*string{&c.Role, &c.Name, &c.Phone, &c.Mail} {
			if *v = strings.TrimSpace(*v); utf8.RuneCountInString(*v) > longestContact {
				return app.Errorf(app.CodeUsage, "keep contacts", "a line is longer than %d characters", longestContact).With("field", "contacts")
			}
		}
		if c != (app.Contact{}) {
			kept = append(kept, c)
		}
	}
	return a.Store.Update(func(d *Document) error { d.Ready.Contacts = kept; return nil })
}

// Messages implements [app.PlaybookService].
func (a *Agent) Messages(ctx context.Context, language string) ([]app.Message, error) {
	return a.recovery.Messages(ctx, language)
}

// PageSettings implements [app.PlaybookService].
func (a *Agent) PageSettings(context.Context) (app.PageSettings, error) {
	return a.Store.Document().Ready.Page, nil
}

// page makes the "back soon" page.
func (a *Agent) page(ctx context.Context) ([]byte, error) {
	f, err := (&recoveryHost{a}).ShopFacts(ctx)
	if err != nil {
		return nil, err
	}
	return a.recovery.Page(f)
}

// pageItem is the page as it goes into the vault.
func pageItem(page []byte, now time.Time) app.Item {
	return app.Item{
		Path: app.PageName, Size: int64(len(page)), ModTime: now, Mode: 0o644,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(page)), nil },
	}
}

// WritePage implements [app.PlaybookService].
func (a *Agent) WritePage(ctx context.Context, r app.PageRequest) (app.PageFile, error) {
	f, err := (&recoveryHost{a}).ShopFacts(ctx)
	if err != nil {
		return app.PageFile{}, err
	}
	if r.Settings != nil {
		f.Page = *r.Settings
	}
	page, err := a.recovery.Page(f)
	if err != nil {
		return app.PageFile{}, err
	}
	if r.Settings != nil {
		if err := a.Store.Update(func(d *Document) error { d.Ready.Page = *r.Settings; return nil }); err != nil {
			return app.PageFile{}, err
		}
	}
	out := app.PageFile{Path: filepath.Join(a.Dir, app.PageName), HTML: string(page)}
	if err := writeWhole(out.Path, page); err != nil {
		return out, app.Errorf(app.CodeHomeReadOnly, "write page", "%w", err).With("path", out.Path)
	}
	var errs []error // one place that fails keeps no other from its page
	for _, name := range r.Withdraw {
		errs = append(errs, a.show(ctx, name, nil))
	}
	for _, name := range r.Publish {
		err := a.show(ctx, name, page)
		if errs = append(errs, err); err == nil {
			out.Published = append(out.Published, name)
		}
	}
	return out, allFailed(errs)
}

// allFailed joins what failed in several places: the first error's words, with
// the names of all of them as its source.
func allFailed(errs []error) error {
	err := errors.Join(errs...)
	var names []string
	for _, e := range errs {
		if name := sourceOf(e); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) < 2 {
		return err
	}
	first := app.AsError(err)
	whole := &app.Error{Code: first.Code, Op: first.Op, Args: maps.Clone(first.Args), Err: err}
	return whole.With("source", strings.Join(names, ", "))
}

// sourceOf returns the name of the source that an error is about; "" for none.
func sourceOf(err error) string {
	if err == nil {
		return ""
	}
	return app.AsError(err).Args["source"]
}

// writeWhole writes a file whole or not at all.
func writeWhole(path string, b []byte) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return os.Rename(tmp, path)
}

// show puts a page up in a source's place, or for nil takes it down. Its error
// names the source.
func (a *Agent) show(ctx context.Context, name string, page []byte) error {
	s, err := a.Store.Document().source(name)
	if err != nil {
		return err
	}
	if err := a.showOn(ctx, s, page); err != nil {
		e := app.AsError(err)
		return (&app.Error{Code: e.Code, Op: e.Op, Args: maps.Clone(e.Args), Err: err}).With("source", s.Name)
	}
	return nil
}

func (a *Agent) showOn(ctx context.Context, s app.Source, page []byte) error {
	c, access, err := a.access(ctx, s)
	if err != nil {
		return err
	}
	p, ok := c.(app.Publisher)
	if !ok {
		return app.Errorf(app.CodeSourceKind, "publish page", "%s can't show a page", s.Kind).With("source", s.Name)
	}
	if page == nil {
		return p.Withdraw(ctx, access, app.PageName)
	}
	return p.Publish(ctx, access, app.PageName, page)
}

// actPage writes the page, to be put up.
func (a *Agent) actPage(ctx context.Context) app.StepResult {
	f, err := a.WritePage(ctx, app.PageRequest{})
	if err != nil {
		return failed(err)
	}
	return done(app.Fact{Code: "page", Args: map[string]string{"path": f.Path}})
}

// actPublish puts the page up wherever Kvart can, or takes it down there. Where
// it can nowhere, the owner does.
func (a *Agent) actPublish(ctx context.Context, i app.Incident, up bool) app.StepResult {
	var page []byte
	code := "withdrawn"
	if up {
		var err error
		if page, err = a.page(ctx); err != nil {
			return failed(err)
		}
		code = "published"
	}
	facts, beside, err := a.showEverywhere(ctx, page, code)
	if err != nil {
		return failed(err, facts...)
	}
	switch {
	case beside:
		return unknown(facts...)
	case len(facts) > 0 && up && a.askStorefront(ctx).State == app.StepDone:
		return unknown(append(facts, app.Fact{Code: "page_unseen"})...) // a server may follow other rules
	case len(facts) > 0:
		return done(facts...)
	case up:
		return unknown(app.Fact{Code: "no_publisher"})
	case i.Step("publish") != nil && i.Step("publish").State == app.StepDone:
		return unknown(app.Fact{Code: "take_down"}) // the owner put it up
	}
	return app.StepResult{State: app.StepSkipped, Facts: []app.Fact{{Code: "not_up"}}}
}

// showEverywhere puts the page up, or takes it down, on every source that can,
// and reports whether somewhere it only lies beside the shop. One that fails
// keeps it from no other.
func (a *Agent) showEverywhere(ctx context.Context, page []byte, code string) (facts []app.Fact, beside bool, err error) {
	var errs []error
	for _, s := range a.Store.Document().Sources {
		c, err := a.Connectors.Connector(s.Kind)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if _, ok := c.(app.Publisher); !ok {
			continue
		}
		err = a.show(ctx, s.Name, page)
		switch e := app.AsError(err); {
		case err == nil:
			facts = append(facts, app.Fact{Code: code, Source: s.Name})
		case e.Code == app.CodePageBeside:
			facts, beside = append(facts, app.Fact{Code: "page_beside", Source: s.Name, Args: map[string]string{"page": e.Args["page"]}}), true
		default:
			facts, errs = append(facts, app.Fact{Code: "page_failed", Source: s.Name}), append(errs, err)
		}
	}
	return facts, beside, allFailed(errs)
}
