package recovery

import (
	"context"
	"strconv"
	"strings"

	"kvart/app"
	"kvart/assets"
)

// box is ticked with a pen.
const box = "\u25A1"

// Sheet returns a playbook as a paper for the day on which no computer works:
// the owner's steps with a box to tick, what Kvart does meanwhile, whom to call.
func (e *Engine) Sheet(ctx context.Context, code app.PlaybookCode, language string) (app.Paper, error) {
	b, err := e.book(code)
	if err != nil {
		return app.Paper{}, err
	}
	f, err := e.host.ShopFacts(ctx)
	if err != nil {
		return app.Paper{}, err
	}
	w, err := words(language, f)
	if err != nil {
		return app.Paper{}, err
	}
	key := "incident.playbook." + string(code)
	now := e.host.Now()
	return app.Paper{
		Title: w.T(key), Under: strings.Trim(f.Shop+", "+moment(w, now), ", "), Made: now,
		Foot: w.T("recover.sheet.foot"), Page: w.T("incident.report.page", assets.Args{"Page": "{page}", "Count": "{count}"}),
		Parts: []app.PaperPart{
			{Heading: w.T("recover.sheet.first"), Texts: []string{w.T(key + ".text"), w.T("recover.sheet.calm")}},
			sheetSteps(w, b), sheetContacts(w, f.Contacts),
			{Heading: w.T("recover.sheet.notes"), Texts: []string{w.T("recover.sheet.began", assets.Args{"Blank": blank}), strings.Repeat(blank, 9), strings.Repeat(blank, 9)}},
		},
	}, nil
}

// sheetSteps numbers the steps; only the owner's have a box.
func sheetSteps(w *assets.Words, b app.Playbook) app.PaperPart {
	part := app.PaperPart{Heading: w.T("recover.sheet.steps")}
	for n, s := range b.Steps {
		title, why, result := assets.StepWords(w, s.Code)
		row := app.PaperRow{Left: strconv.Itoa(n+1) + "   " + w.T("incident.actor."+string(app.ActorKvart)), Right: title, More: []string{result}}
		if s.Actor == app.ActorOwner {
			row.Left, row.More = strconv.Itoa(n+1)+"   "+box, []string{why, result}
		}
		if d := b.Deadline; d != nil && d.Step == s.Code {
			row.More = append(row.More, w.N("recover.sheet.deadline", int64(d.Hours)))
		}
		part.Rows = append(part.Rows, row)
	}
	return part
}

// sheetContacts lists whom to call, with room for those who are missing.
func sheetContacts(w *assets.Words, contacts []app.Contact) app.PaperPart {
	part := app.PaperPart{Heading: w.T("recover.sheet.contacts")}
	for _, c := range contacts {
		row := app.PaperRow{Left: assets.RoleWords(w, c.Role), Right: strings.Trim(c.Name+"  "+c.Phone, " ")}
		if c.Mail != "" {
			row.More = []string{c.Mail}
		}
		part.Rows = append(part.Rows, row)
	}
	for range max(3-len(contacts), 1) {
		part.Rows = append(part.Rows, app.PaperRow{Left: blank, Right: blank + blank})
	}
	return part
}
