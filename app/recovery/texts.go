package recovery

import (
	"context"
	"fmt"
	"strings"
	"time"

	"kvart/app"
	"kvart/assets"
)

// blank stands for what is not known: to be filled in by hand.
const blank = "________"

// words returns the texts of a language, "" meaning the owner's.
func words(language string, f app.ShopFacts) (*assets.Words, error) {
	if language == "" {
		language = f.Language
	}
	return assets.NewWords(language)
}

// Messages returns the texts for others, filled in with the shop's facts and
// those of the open incident.
func (e *Engine) Messages(ctx context.Context, language string) ([]app.Message, error) {
	f, err := e.host.ShopFacts(ctx)
	if err != nil {
		return nil, err
	}
	w, err := words(language, f)
	if err != nil {
		return nil, err
	}
	i, err := e.Current(ctx)
	if err != nil && app.CodeOf(err) != app.CodeIncidentNone {
		return nil, err
	}
	args := messageArgs(w, f, i)
	var out []app.Message
	for _, code := range app.Messages() {
		key := "incident.message." + code
		out = append(out, app.Message{Code: code, Title: w.T(key + ".title"), Text: w.T(key+".text", args)})
	}
	return out, nil
}

func messageArgs(w *assets.Words, f app.ShopFacts, i app.Incident) assets.Args {
	shop := f.Page.Shop
	if shop == "" {
		shop = f.Shop
	}
	if shop == "" {
		shop = blank
	}
	args := assets.Args{
		"Shop": shop, "Phone": f.Page.Phone, "Mail": f.Page.Mail,
		"Since": blank, "Until": blank, "Back": blank, "Playbook": blank, "Sources": blank,
	}
	if i.ID == "" {
		return args
	}
	since := i.Started
	if !i.Choice.Before.IsZero() {
		since = i.Choice.Before
	}
	args["Since"] = moment(w, since)
	args["Playbook"] = w.T("incident.playbook." + string(i.Playbook))
	if i.Deadline != nil {
		args["Until"] = moment(w, i.Deadline.Until)
	}
	if !i.Back.IsZero() {
		args["Back"] = moment(w, i.Back)
	}
	names := i.Choice.Sources
	if len(names) == 0 {
		for _, s := range f.Sources {
			names = append(names, s.Name)
		}
	}
	if len(names) > 0 {
		args["Sources"] = strings.Join(names, ", ")
	}
	return args
}

// moment returns a time that can be read next year too.
func moment(w *assets.Words, t time.Time) string {
	return fmt.Sprintf("%s %d, %s", w.Day(t), t.Local().Year(), w.Clock(t))
}
