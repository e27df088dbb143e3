package agent

import (
	"context"
	"strings"

	"kvart/app"
)

// checkKept tells what of the present state a restore could not save.
const checkKept = "kept"

// notSaved looks at what is not in a safety point. What nobody can read any
// more must not keep the owner from restoring it: the record says that it is
// gone. Anything else that could not be read does.
func (a *Agent) notSaved(ctx context.Context, source string, problems []app.Problem, rec *app.RestoreRecord) error {
	var lost []string
	for _, p := range problems {
		switch p.Code {
		case app.CodeItemVanished:
		case app.CodeSourceDamaged:
			lost = append(lost, p.Path)
		default:
			return app.Errorf(app.CodeSourceUnreadable, "save present state", "%s: %s", p.Path, p.Code).With("path", p.Path)
		}
	}
	if len(lost) > 0 {
		a.Log.WarnContext(ctx, "Present state saved without what is damaged", "source", source, "lost", lost)
		check := app.Check{Source: source, Code: checkKept, OK: true, Detail: "all but what was damaged beyond reading: " + strings.Join(lost, ", ")}
		check.See(app.Seen{Code: app.SeenLost, Count: int64(len(lost)), Names: lost})
		rec.Checks = append(rec.Checks, check)
	}
	return nil
}
