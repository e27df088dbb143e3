package agent

import "kvart/app"

// fillHome notes that the guard's own folder lies on a network drive.
func (a *Agent) fillHome(st *app.Status) {
	if a.OnShare {
		st.Notes = append(st.Notes, app.Problemed{Error: (&app.Error{Code: app.CodeHomeShare, Op: "look at data folder"}).With("path", a.Dir)})
	}
}
