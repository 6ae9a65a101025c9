

NuclearSegmentationsignature_def