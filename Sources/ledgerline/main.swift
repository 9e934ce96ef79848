// The program `ledgerline`: everything is in the module Commands.

import Commands

Program.main()
