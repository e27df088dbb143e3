package rest

import (
	"strings"

	"kvart/app"
)

// see notes for the owner what a restore would still do to a kind: what differs.
func see(c *app.Check, k Kind, ops []Op, picked int64) {
	if len(ops) == 0 {
		c.See(app.Seen{Code: app.SeenRecordsSame, Kind: k.Name, Count: picked})
	}
	for _, op := range ops {
		code := app.SeenRecordsDiffer
		switch op.Do {
		case DoCreate, DoPublish:
			code = app.SeenRecordsMissing
		case DoDelete:
			code = app.SeenRecordsExtra
		}
		f := app.Seen{Code: code, Kind: k.Name, Count: 1, Of: max(picked, int64(len(ops)))}
		if name := k.called(op); name != "" {
			f.Names = []string{name}
		} else {
			f.More = 1
		}
		c.See(f)
	}
}

// called is what people know a record by; "" where that would tell of a person,
// since checks are kept when the backups they are about are long gone.
func (k Kind) called(op Op) string {
	name := k.entry(k.place(op.Was), op.Full, k.face(), money{}).title
	if k.Personal && !strings.HasPrefix(name, "#") {
		return ""
	}
	return name
}
