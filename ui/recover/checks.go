package recover

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// checkRow is one check: what was looked at, and a line for each thing seen.
type checkRow struct {
	Words, State string
	Said         []string
	Bad          bool
	Tone         widgets.Tone
}

// rowsOfChecks tells of checks, those that failed first.
func rowsOfChecks(w *assets.Words, checks []app.Check) (rows []checkRow) {
	for _, c := range checks {
		rows = append(rows, rowOfCheck(w, c))
	}
	slices.SortStableFunc(rows, func(a, b checkRow) int {
		switch {
		case a.Bad == b.Bad:
			return 0
		case a.Bad:
			return -1
		}
		return 1
	})
	return rows
}

func rowOfCheck(w *assets.Words, c app.Check) checkRow {
	row := checkRow{State: w.T("recover.check.ok"), Tone: widgets.ToneGood, Bad: !c.OK}
	row.Words, row.Said = assets.CheckWords(w, c)
	if c.Source != "" {
		row.Words = w.T("recover.check.of", assets.Args{"Check": row.Words, "Source": c.Source})
	}
	if row.Bad {
		row.State, row.Tone = w.T("recover.check.bad"), widgets.ToneDanger
	}
	return row
}

// helpText is what the connectors noted of checks for the log, those that failed
// first; "" when they noted nothing.
func helpText(checks []app.Check) string {
	var good, bad []string
	for _, c := range checks {
		line := strings.Trim(c.Source+": "+c.Code+": "+c.Detail, ": ")
		switch {
		case c.Detail == "":
		case c.OK:
			good = append(good, "ok: "+line)
		default:
			bad = append(bad, "FAILED: "+line)
		}
	}
	return strings.Join(append(bad, good...), "\n")
}

// checksCard shows what was looked at, and on asking what whoever helps with
// computers may want to read.
func (s *Screen) checksCard(v doneView) fyne.CanvasObject {
	t := s.env.T
	rows := []fyne.CanvasObject{widgets.NewText(t("recover.checks"), widgets.Sub())}
	for _, c := range v.Checks {
		look := widgets.Caption()
		if c.Bad {
			look = widgets.Body()
		}
		var said []fyne.CanvasObject
		for _, line := range c.Said {
			said = append(said, widgets.NewText(line, look))
		}
		rows = append(rows, widgets.Line(), widgets.Columns([]float32{40, 44, 16},
			widgets.NewText(c.Words, widgets.Body()), widgets.Column(2, said...), widgets.NewPill(c.State, c.Tone)))
	}
	if v.Help != "" {
		rows = append(rows, widgets.Line(), s.helpBox(v.Help))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap12, rows...))
}

// helpBox is what unfolds for whoever helps with computers.
func (s *Screen) helpBox(text string) fyne.CanvasObject {
	t := s.env.T
	below := widgets.Column(widgets.Gap8, widgets.NewText(t("checks.help.text"), widgets.Muted()), widgets.Code(text, t("copy"), t("copied")))
	button := widgets.NewButton(t("checks.help.show"), nil)
	words := map[bool]string{true: t("checks.help.hide"), false: t("checks.help.show")}
	button.OnTapped = func() {
		s.helping = !s.helping
		button.SetText(words[s.helping])
		screen.Visible(below, s.helping)
		s.frame.Relayout()
	}
	button.SetText(words[s.helping])
	screen.Visible(below, s.helping)
	return widgets.Column(widgets.Gap12, widgets.Leading(button), below)
}
