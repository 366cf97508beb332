package journeyfrom
func (i *importer) readOpenAPI(data []byte) error { return nil }
func (i *importer) readCurl(data []byte) error { return nil }
func (i *importer) readK6(data []byte) error { return nil }
func (i *importer) readPostman(data []byte) error { return nil }
