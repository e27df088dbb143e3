package screen

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// strangerCard asks whether a server met for the first time is the owner's. The
// keyboard belongs at doubt: a key that is held down must not agree.
func strangerCard(env Env, e *app.Error, yes, no func()) (card fyne.CanvasObject, doubt *widgets.Button) {
	t := env.T
	_, _, next := assets.ErrorWords(env.Words, e)
	doubt = widgets.NewButton(t("location.server.no"), no)
	return widgets.NewCard(widgets.Column(widgets.Gap12,
		widgets.NewText(t("location.server"), widgets.Sub()),
		widgets.NewText(t("location.server.text"), widgets.Body()),
		widgets.NewText(e.Args["fingerprint"], widgets.Look{Mono: true, Bold: true}),
		widgets.NewText(next, widgets.Muted()),
		widgets.Leading(widgets.NewButton(t("location.server.yes"), yes), doubt))).Emphasise(), doubt
}

// certificateKey is the field that holds a certificate nobody vouches for.
const certificateKey = "certificate"

// acquaint is what makes a server met for the first time a known one: what it
// showed, and the field that goes into.
type acquaint struct{ field, value string }

// meets returns what a failure to reach a source has to be answered with, if
// it only asks whether a server is the owner's. A server that is known and
// shows something else is a failure indeed.
func meets(spec app.KindSpec, settings map[string]string, err error) (acquaint, bool) {
	e := app.AsError(err)
	if e == nil {
		return acquaint{}, false
	}
	has := func(key string) bool { _, ok := spec.Field(key); return ok && settings[key] == "" }
	switch e.Code {
	case app.CodeHostKeyUnknown:
		keys := []string{e.Args["field"], hostKeyKey, "ssh_" + hostKeyKey}
		if ssh := settings["ssh_host"]; ssh != "" && strings.HasPrefix(e.Args["where"], ssh) && ssh != settings["host"] {
			keys = []string{e.Args["field"], "ssh_" + hostKeyKey} // the one on the way
		}
		if i := slices.IndexFunc(keys, has); i >= 0 {
			return acquaint{keys[i], e.Args[hostKeyKey]}, true
		}
	case app.CodeCertificate:
		if e.Args["reason"] == "unknown" && e.Args["fingerprint"] != "" && has(certificateKey) {
			return acquaint{certificateKey, e.Args["fingerprint"]}, true
		}
	}
	return acquaint{}, false
}
