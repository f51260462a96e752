"""Pictures: what is in their files, files without what says where and by whom they were taken, and thumbnails."""
