package recover

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// goalKind is where one database is brought back to.
type goalKind string

const (
	toOriginal goalKind = "original"
	toBeside   goalKind = "beside" // a new database on the same server
	toFolder   goalKind = "folder"
)

// kindOf tells which of them a target is.
func kindOf(t app.Target) goalKind {
	switch {
	case t.Database != "":
		return toBeside
	case t.Dir != "":
		return toFolder
	}
	return toOriginal
}

// mostName is how long a database's name may be on every server, in bytes.
const mostName = 63

// besideName suggests the name of a database for what another held at a time.
func besideName(database string, at time.Time) string {
	suffix := "_kvart_" + at.Local().Format("2006_01_02")
	for len(database)+len(suffix) > mostName {
		_, n := utf8.DecodeLastRuneInString(database)
		database = database[:len(database)-n]
	}
	return database + suffix
}

// nameTrouble tells in the owner's words why a name for a new database was not
// taken, "" when a failure is about something else.
func nameTrouble(w *assets.Words, err error, name string) string {
	args := assets.Args{"Name": name}
	switch e := app.AsError(err); {
	case e == nil:
	case e.Code == app.CodeTargetExists:
		return w.T("recover.to.exists", args)
	case e.Code == app.CodeUsage && e.Args["path"] == "":
		return w.T("recover.to.bad", args)
	}
	return ""
}

// nameEntry asks for a new database's name.
type nameEntry struct {
	entry *widgets.Entry
	use   *widgets.Button
}

// source returns the one source that is to be restored.
func (s *Screen) source() (app.SourceStatus, bool) {
	if len(s.request.Sources) != 1 {
		return app.SourceStatus{}, false
	}
	i := slices.IndexFunc(s.status.Sources, func(src app.SourceStatus) bool { return src.Source.Name == s.request.Sources[0] })
	if i < 0 {
		return app.SourceStatus{}, false
	}
	return s.status.Sources[i], true
}

// onServer reports whether what is to be restored is one database on a server.
func (s *Screen) onServer() bool {
	src, ok := s.source()
	return ok && slices.ContainsFunc(s.kinds, func(k app.KindSpec) bool { return k.Kind == src.Source.Kind && k.Database })
}

// learn asks for the kinds there are, unless they are known.
func (s *Screen) learn(ctx context.Context, known []app.KindSpec) ([]app.KindSpec, error) {
	if len(known) > 0 {
		return known, nil
	}
	forms, err := s.env.Service.Forms(ctx)
	return forms.Sources, err
}

// suggested returns a name for a new database.
func (s *Screen) suggested() string {
	src, _ := s.source()
	name := strings.ReplaceAll(string(src.Source.ID), "-", "_")
	for _, key := range []string{"db_name", "database"} {
		if v := src.Source.Settings[key]; v != "" {
			name = v
		}
	}
	at := s.env.Now()
	if s.plan != nil && len(s.plan.Sources) == 1 && !s.plan.Sources[0].Point.Time.IsZero() {
		at = s.plan.Sources[0].Point.Time
	}
	return besideName(name, at)
}

// goTo asks anew what a restore to another place would do.
func (s *Screen) goTo(t app.Target) {
	r := s.request
	r.Target = t
	s.ask(r)
}

// whereObjects is the card that asks where to; none where there is one place.
func (s *Screen) whereObjects() []fyne.CanvasObject {
	if !s.onServer() {
		return nil
	}
	t := s.env.T
	choose := func(kind goalKind, tapped func()) fyne.CanvasObject {
		key := "recover.to." + string(kind)
		c := s.choice(t(key), t(key+".hint"), tapped)
		c.Select(kindOf(s.request.Target) == kind)
		return c
	}
	folder := func() { s.env.ChooseFolder(func(dir string) { s.goTo(app.Target{Dir: dir}) }) }
	rows := []fyne.CanvasObject{
		widgets.NewText(t("recover.to"), widgets.Sub()),
		widgets.Grid(widgets.Gap12, 200, 3,
			choose(toOriginal, func() { s.goTo(app.Target{}) }),
			choose(toBeside, func() { s.goTo(app.Target{Database: s.suggested()}) }),
			choose(toFolder, folder)),
	}
	switch kindOf(s.request.Target) {
	case toBeside:
		rows = append(rows, s.nameRow())
	case toFolder:
		rows = append(rows, widgets.Row(widgets.Gap12, nil, widgets.NewText(s.request.Target.Dir, widgets.Body()),
			widgets.NewButton(t("recover.to.another"), folder)))
	}
	return []fyne.CanvasObject{widgets.NewCard(widgets.Column(widgets.Gap12, rows...))}
}

// nameRow asks for the new database's name, and says below it why one was not
// taken.
func (s *Screen) nameRow() fyne.CanvasObject {
	t := s.env.T
	planned := s.request.Target.Database
	n := nameEntry{use: widgets.NewButton(t("recover.to.use"), s.useName)}
	n.use.Disable()
	n.entry = widgets.NewEntry(planned, func(v string) {
		name := strings.TrimSpace(v)
		n.use.SetEnabled(name != "" && name != planned)
		s.checkClick() // what stands on the page is of another name
	})
	s.name = &n
	rows := []fyne.CanvasObject{widgets.NewText(t("recover.to.name"), widgets.Strong()), widgets.Row(widgets.Gap8, nil, n.entry, n.use)}
	if wrong := s.nameWrong(); wrong != "" {
		rows = append(rows, widgets.NewText(wrong, widgets.Body().In(widgets.ToneDanger.Text())))
	}
	return widgets.Column(widgets.Gap4, append(rows, widgets.NewText(t("recover.to.name.hint"), widgets.Caption()))...)
}

// useName asks what a restore under the name written would do.
func (s *Screen) useName() {
	if name := strings.TrimSpace(s.name.entry.Text); name != "" {
		s.goTo(app.Target{Database: name})
	}
}

// renamed reports whether a name was written that the plan does not know.
func (s *Screen) renamed() bool {
	return s.name != nil && strings.TrimSpace(s.name.entry.Text) != s.request.Target.Database
}

// nameWrong tells what is wrong with the name, "" for nothing.
func (s *Screen) nameWrong() string {
	if s.request.Target.Database == "" {
		return ""
	}
	name := s.request.Target.Database
	if s.planErr != nil {
		return nameTrouble(s.env.Words, s.planErr, name)
	}
	if s.plan == nil {
		return ""
	}
	if b := s.plan.Blocked(); b != nil {
		return nameTrouble(s.env.Words, b, name)
	}
	return ""
}
