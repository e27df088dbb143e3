package ui

import (
	"testing"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/uitest"
)

// onlyReads is a guard whose source's user may only read, until it is changed.
func (r *rig) onlyReads() (sent *[]app.ChangeSourceRequest) {
	may := false
	sent = &[]app.ChangeSourceRequest{}
	r.svc.ChangeFunc = func(q app.ChangeSourceRequest) error {
		if q.Secrets[app.AdminPasswordKey].Reveal() != "rothemligt" {
			return app.Errorf(app.CodeSourceDenied, "make user", "no").With("user", q.Admin)
		}
		*sent, may = append(*sent, q), q.Restoring
		return nil
	}
	r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
		p := uitest.Plan(r.svc.Current(), q)
		for i := range p.Sources {
			if p.Sources[i].Source == "Webbutiken" && !may {
				e := (&app.Error{Code: app.CodeSourceRight}).With("source", "Webbutiken").With("right", "INSERT, DROP").With("statement", "GRANT ALL ON butik.*;")
				p.Sources[i].Plan.Blockers = []*app.Error{e}
			}
		}
		return p, nil
	}
	r.svc.RightsFunc = func(app.RightsRequest) (app.Rights, error) {
		rights := uitest.LessRights()
		if may {
			rights.Excess = []string{"ALL PRIVILEGES ON butik.*", "PROCESS"}
		}
		return rights, nil
	}
	return sent
}

func TestRecover_givesTheRightAndTakesItAway(t *testing.T) {
	r := newServerRig(t, uitest.WithDatabase())
	sent := r.onlyReads()
	r.press("Recover")
	r.sees("Let Kvart put it back…", "Kvart may only read in Webbutiken")
	r.press("Bring just one source back…")
	r.press("Webbutiken")
	r.sees("Kvart may only read in Webbutiken")
	r.lacks("GRANT ALL ON", "INSERT, DROP")
	r.shoot("db-give")
	r.press("Let Kvart put it back…")
	r.sees("Administrator's password")
	r.press("No, leave it")
	r.lacks("Administrator's password")
	r.press("Let Kvart put it back…")
	uitest.Write(t, r.c, 0, "root")
	uitest.Write(t, r.c, 1, "fel")
	r.press("Give the right and go on")
	r.sees("Administrator's password")
	if len(*sent) != 0 || uitest.Enabled(r.c, "Restore") {
		t.Error("it goes on without the right")
	}
	r.shoot("db-give-denied")
	uitest.Write(t, r.c, 1, "rothemligt")
	uitest.Key(r.c, fyne.KeyReturn)
	if len(*sent) != 1 || !(*sent)[0].Restoring || (*sent)[0].Admin != "root" || (*sent)[0].Source != "Webbutiken" || len((*sent)[0].Secrets) != 1 {
		t.Fatalf("sent %+v", *sent)
	}
	r.lacks("Administrator's password", "Kvart may only read")
	r.svc.WaitFunc = func(app.JobID) (app.Job, error) { return done(*uitest.Restoring().Job, uitest.Restored()), nil }
	r.press("Restore")
	r.sees("Your shop is back", "may still write on the server")
	r.shoot("db-given")
	r.press("Take the right to write away again…")
	r.sees("Change Webbutiken", "Kvart's own user may also write", "ALL PRIVILEGES ON butik.*")
	r.lacks("Show how to make one")
	r.shoot("db-take")
	r.press("Take the right to write away again…")
	n := len(uitest.Fields(r.c))
	uitest.Write(t, r.c, n-2, "root")
	uitest.Write(t, r.c, n-1, "rothemligt")
	r.shoot("db-taking")
	r.press("Take it away")
	if len(*sent) != 2 || (*sent)[1].Restoring || (*sent)[1].Admin != "root" {
		t.Errorf("sent %+v", *sent)
	}
	r.sees("What Kvart protects")
}

// TestRecover_whatIsStillLackingIsTold: a right that was given once is not
// asked for in circles.
func TestRecover_whatIsStillLackingIsTold(t *testing.T) {
	r := newServerRig(t, uitest.WithDatabase())
	r.onlyReads()
	r.svc.ChangeFunc = func(app.ChangeSourceRequest) error { return nil }
	r.press("Recover")
	r.press("Let Kvart put it back…")
	uitest.Write(t, r.c, 0, "root")
	r.press("Give the right and go on")
	r.sees("GRANT ALL ON butik.*;", "Try again")
	r.lacks("Let Kvart put it back…")
}

// TestRecover_rightOfAKindWithoutUsers: there Kvart can give nothing.
func TestRecover_rightOfAKindWithoutUsers(t *testing.T) {
	r := newServerRig(t, uitest.WithDatabase())
	r.svc.FormsFunc = func() app.Forms {
		f := uitest.DatabaseForms()
		f.Sources[2].Users = false
		return f
	}
	r.onlyReads()
	r.press("Recover")
	r.sees("GRANT ALL ON butik.*;", "Try again")
	r.lacks("Let Kvart put it back…")
}
