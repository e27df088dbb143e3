package assets

import "kvart/app"

// Roles lists the people everybody should be able to call, by the roles that
// have words of their own.
func Roles() []string { return []string{"host", "payment", "bank", "insurance", "it"} }

// RoleWords returns what somebody to call is called; a role of the owner's own
// is what was typed.
func RoleWords(w *Words, role string) string {
	if key := "recover.role." + role; role != "" && w.Has(key) {
		return w.T(key)
	}
	return role
}

// UnusualWords returns why a change looks unusual, one rule a sentence without
// its stop.
func UnusualWords(w *Words, u app.Unusual) []string {
	var out []string
	for _, r := range u.Reasons {
		key := "unusual." + string(r.Code)
		if !w.Has(key) {
			out = append(out, string(r.Code)) // of a newer guard
			continue
		}
		out = append(out, w.T(key, Args{"kind": r.Kind, "count": w.Number(r.Count), "of": w.Number(r.Of)}))
	}
	return out
}
