// Package kit is the page on which the recovery kit is made: saved, printed,
// and confirmed by typing back its code. The setup and the screen about safety
// show it. It never sees what the kit holds: the guard writes it.
package kit

import (
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// Stand tells how the kit stands.
type Stand string

// How a kit can stand.
const (
	None        Stand = "none"
	Unconfirmed Stand = "unconfirmed"
	Void        Stand = "void"
	Good        Stand = "good"
)

// StandOf tells how a kit stands. Only one that was confirmed, and of which
// nothing changed since, is good.
func StandOf(k app.KitState) Stand {
	switch {
	case k.Number == 0:
		return None
	case k.Void:
		return Void
	case k.Good():
		return Good
	}
	return Unconfirmed
}

// View tells how the kit stands in words.
type View struct {
	Stand Stand
	Text  string // what it means
	Pill  string
	Tone  widgets.Tone
	Dates []string
}

// Model tells how the kit stands in words.
func Model(w *assets.Words, k app.KitState, now time.Time) View {
	v := View{Stand: StandOf(k), Tone: widgets.ToneWarn}
	v.Text, v.Pill = w.T("makekit.stand."+string(v.Stand)+".text"), w.T("makekit.stand."+string(v.Stand))
	switch v.Stand {
	case Good:
		v.Tone = widgets.ToneGood
	case Void:
		v.Tone = widgets.ToneDanger
	}
	if k.Number > 0 {
		v.Dates = append(v.Dates, w.T("makekit.made", assets.Args{"Number": k.Number, "When": w.When(k.Made, now)}))
	}
	if !k.Confirmed.IsZero() {
		v.Dates = append(v.Dates, w.T("makekit.confirmed", assets.Args{"When": w.When(k.Confirmed, now)}))
	}
	return v
}

// files returns where the kit is to be written: the page to print, and beside
// it, where wanted, the same as text.
func files(pdf string, text bool) map[app.KitFormat]string {
	if !strings.HasSuffix(strings.ToLower(pdf), ".pdf") {
		pdf += ".pdf"
	}
	out := map[app.KitFormat]string{app.KitPDF: pdf}
	if text {
		out[app.KitText] = pdf[:len(pdf)-len(".pdf")] + ".txt"
	}
	return out
}
