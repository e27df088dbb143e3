package app

import "context"

// Contact is somebody to call on a bad day.
type Contact struct {
	Role  string `json:"role"` // "host", "bank", "police", or the owner's own words
	Name  string `json:"name,omitempty"`
	Phone string `json:"phone,omitempty"`
	Mail  string `json:"mail,omitempty"`
}

// Message is a text for others, with the shop's facts filled in.
type Message struct {
	Code  string `json:"code"` // "customers", "sign", "host", "police", "imy", "back"
	Title string `json:"title"`
	Text  string `json:"text"`
}

// Messages lists the codes of all messages.
func Messages() []string { return []string{"customers", "sign", "host", "police", "imy", "back"} }

// PageSettings are what the owner chooses about the "back soon" page.
type PageSettings struct {
	Shop  string `json:"shop,omitempty"`  // "" means the vault's
	Color string `json:"color,omitempty"` // "#0E6B58"; "" means Kvart's
	Text  string `json:"text,omitempty"`  // "" means the usual one
	// Language is the customers'; "" means the owner's.
	Language string `json:"language,omitempty"`
	Phone    string `json:"phone,omitempty"`
	Mail     string `json:"mail,omitempty"`
}

// PageFile is the "back soon" page as it was written.
type PageFile struct {
	Path string `json:"path"`
	HTML string `json:"html"`
	// Published names the sources where it stands in the shop's place.
	Published []string `json:"published,omitempty"`
}

// PageRequest asks for the "back soon" page.
type PageRequest struct {
	// Settings, when set, are kept from now on.
	Settings *PageSettings `json:"settings,omitempty"`
	// Publish puts it up on these sources, Withdraw takes it down there; names,
	// of sources whose connector is a [Publisher].
	Publish  []string `json:"publish,omitempty"`
	Withdraw []string `json:"withdraw,omitempty"`
}

// PageName is the file name of the "back soon" page.
const PageName = "kvart-back-soon.html"

// A Publisher is implemented by connectors of sites that can show a page in the
// shop's place.
type Publisher interface {
	// Publish puts the page up. Doing it twice has the effect of once.
	Publish(ctx context.Context, a Access, name string, page []byte) error
	// Withdraw takes it down; it is no failure where there is none.
	Withdraw(ctx context.Context, a Access, name string) error
}

// PaperRequest asks for a playbook as a list to be ticked with a pen.
type PaperRequest struct {
	Playbook PlaybookCode `json:"playbook"`
	Format   ReportFormat `json:"format"`
	Language string       `json:"language,omitempty"` // "" for the owner's
}

// PlaybookService is what is prepared before the bad day.
type PlaybookService interface {
	// Playbooks returns all, to be read or printed beforehand.
	Playbooks(ctx context.Context) ([]Playbook, error)
	// PlaybookPaper returns one with the shop's contacts, as a file's bytes.
	PlaybookPaper(ctx context.Context, r PaperRequest) ([]byte, error)
	Contacts(ctx context.Context) ([]Contact, error)
	SetContacts(ctx context.Context, c []Contact) error
	// Messages returns the texts for others with the shop's facts, in a
	// language; "" for the owner's.
	Messages(ctx context.Context, language string) ([]Message, error)
	PageSettings(ctx context.Context) (PageSettings, error)
	// WritePage writes the page to the guard's folder, and puts it up or takes
	// it down where that is asked for.
	WritePage(ctx context.Context, r PageRequest) (PageFile, error)
}
