package screen

import (
	"testing"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
)

func TestModelCheck(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	v := ModelCheck(w, "mysql", uitest.CheckedDatabase(), &app.Rights{Excess: []string{"DROP"}})
	if len(v.Facts) != 2 || v.Facts[0].Value != "MariaDB 10.11.6" || len(v.Notes) != 1 || v.Rights != w.T("rights.excess.title") {
		t.Errorf("%+v", v)
	}
	less := uitest.LessRights()
	for name, r := range map[string]*app.Rights{"no users": nil, "no more than needed": &less} {
		if v := ModelCheck(w, "mysql", app.SourceInfo{Bytes: 1}, r); v.Rights != "" || v.Facts != nil || v.Notes != nil {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if v := ModelCheck(w, "mysql", app.SourceInfo{}, &app.Rights{Missing: []string{"TRIGGER"}, Excess: []string{"DROP"}}); v.Rights != w.T("rights.missing.title") {
		t.Errorf("%+v", v)
	}
	if v := ModelCheck(w, "sqlite", app.SourceInfo{Details: map[string]string{"journal": "wal", "tables": "1204", "strange": "x"}}, nil); len(v.Facts) != 2 || v.Facts[1].Value != "1,204" {
		t.Errorf("%+v", v)
	}
}
