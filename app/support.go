package app

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"time"
)

// SupportFile is one text of a [SupportBundle].
type SupportFile struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// SupportBundle is what somebody who helps needs to see: versions, settings,
// how things stand, and the last lines of the log. It holds no secrets, no
// addresses of storage or sources, no names, e-mail addresses or telephone
// numbers of people, and no path of the owner's home.
type SupportBundle struct {
	Files []SupportFile `json:"files"`
	// Logs is the folder of the logs on this computer; it is not part of what is
	// sent.
	Logs string `json:"logs"`
}

// Zip returns the files as one to be sent; at dates them.
func (b SupportBundle) Zip(at time.Time) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range b.Files {
		w, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: at})
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.Name, err)
		}
		if _, err := w.Write([]byte(f.Text)); err != nil {
			return nil, fmt.Errorf("pack %s: %w", f.Name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack support bundle: %w", err)
	}
	return out.Bytes(), nil
}

// SupportService gathers what helps to help.
type SupportService interface {
	// Support gathers it now.
	Support(ctx context.Context) (SupportBundle, error)
}
